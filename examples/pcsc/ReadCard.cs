// Reads a social security card through PC/SC: the card number, then, after the PIN, the registered address.
//
//     mcs ReadCard.cs
//     CARD_PIN=123456 mono ReadCard.exe [READER]
//
// 123456, also without CARD_PIN, is the PIN of the virtual test card; a real cardholder enters their own.
// The exit code is 0 when all was read, else 1 with the reason on stderr.
// On Linux mono takes libpcsclite for winscard.dll, as ReadCard.exe.config says; GBK is in libmono-i18n-cjk4.0-cil.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;

class Failed : Exception
{
    public Failed(string text) : base(text) { }
}

/// DWORD and LONG have 64 bits in pcsc-lite on 64-bit Linux, 32 on Windows: IntPtr is wide enough for both, and of what
/// is returned the low 32 bits count.
static class WinSCard
{
    const string Library = "winscard.dll";

    [DllImport(Library)] public static extern IntPtr SCardEstablishContext(IntPtr scope, IntPtr a, IntPtr b, ref IntPtr context);
    [DllImport(Library)] public static extern IntPtr SCardReleaseContext(IntPtr context);
    [DllImport(Library)] public static extern IntPtr SCardListReaders(IntPtr context, string groups, byte[] names, ref IntPtr length);
    [DllImport(Library)] public static extern IntPtr SCardConnect(IntPtr context, string reader, IntPtr share, IntPtr protocols, ref IntPtr card, ref IntPtr protocol);
    [DllImport(Library)] public static extern IntPtr SCardDisconnect(IntPtr card, IntPtr disposition);
    [DllImport(Library)] public static extern IntPtr SCardTransmit(IntPtr card, byte[] how, byte[] command, IntPtr length, IntPtr got, byte[] answer, ref IntPtr answerLength);

    public const int UserScope = 0, Shared = 2, T0 = 1, Unpower = 2;
    public const uint NoSmartcard = 0x8010000C, NoReaders = 0x8010002E;

    /// SCARD_IO_REQUEST for T=0: two DWORDs, the protocol and the structure's own length.
    public static byte[] RequestT0()
    {
        int word = Environment.OSVersion.Platform == PlatformID.Win32NT ? 4 : IntPtr.Size;
        byte[] request = new byte[2 * word];
        request[0] = T0;
        request[word] = (byte)request.Length;
        return request;
    }

    public static uint Code(IntPtr result)
    {
        return unchecked((uint)(long)result);
    }

    public static void Check(string doing, IntPtr result)
    {
        if (Code(result) != 0) throw new Failed(doing + ": 0x" + Code(result).ToString("X8"));
    }
}

struct Answer
{
    public byte[] Data;
    public int Sw;
}

class Card : IDisposable
{
    readonly IntPtr card;

    Card(IntPtr card)
    {
        this.card = card;
    }

    /// The card in that reader, or in the first that has one.
    public static Card Connected(IntPtr context, string wanted, TextWriter told)
    {
        string[] readers = Readers(context).Where(name => wanted == "" || name == wanted).ToArray();
        foreach (string reader in readers)
        {
            IntPtr card = IntPtr.Zero, protocol = IntPtr.Zero;
            IntPtr result = WinSCard.SCardConnect(
                context, reader, (IntPtr)WinSCard.Shared, (IntPtr)WinSCard.T0, ref card, ref protocol);
            if (WinSCard.Code(result) == WinSCard.NoSmartcard) continue;
            WinSCard.Check(reader, result);
            told.WriteLine("reader 读卡器: " + reader);
            return new Card(card);
        }
        throw new Failed(readers.Length > 0 ? "no card in a reader 读卡器中没有卡" : "no such reader 没有这个读卡器");
    }

    static IEnumerable<string> Readers(IntPtr context)
    {
        IntPtr length = IntPtr.Zero;
        IntPtr result = WinSCard.SCardListReaders(context, null, null, ref length);
        if (WinSCard.Code(result) == WinSCard.NoReaders) return new string[0];
        WinSCard.Check("readers 读卡器", result);
        byte[] names = new byte[(int)length];
        WinSCard.Check("readers 读卡器", WinSCard.SCardListReaders(context, null, names, ref length));
        return Encoding.UTF8.GetString(names, 0, (int)length).Split(new[] { '\0' }, StringSplitOptions.RemoveEmptyEntries);
    }

    public void Dispose()
    {
        WinSCard.SCardDisconnect(card, (IntPtr)WinSCard.Unpower);
    }

    Answer Transmit(byte[] command)
    {
        byte[] answer = new byte[258];
        IntPtr length = (IntPtr)answer.Length;
        WinSCard.Check("the card 卡片", WinSCard.SCardTransmit(
            card, WinSCard.RequestT0(), command, (IntPtr)command.Length, IntPtr.Zero, answer, ref length));
        int data = (int)length - 2;
        if (data < 0) throw new Failed("the card 卡片: an answer that is none 应答格式错误");
        return new Answer { Data = answer.Take(data).ToArray(), Sw = answer[data] << 8 | answer[data + 1] };
    }

    /// T=0: 6Cxx says which length is right, 61xx how much waits to be fetched, once: no answer here is longer.
    public Answer Send(params byte[] command)
    {
        Answer answer = Transmit(command);
        if (answer.Sw >> 8 == 0x6C)
            answer = Transmit(command.Take(4).Concat(new[] { (byte)answer.Sw }).ToArray());
        if (answer.Sw >> 8 == 0x61)
        {
            Answer more = Transmit(new byte[] { 0x00, 0xC0, 0x00, 0x00, (byte)answer.Sw });
            answer = new Answer { Data = answer.Data.Concat(more.Data).ToArray(), Sw = more.Sw };
        }
        return answer;
    }

    byte[] Done(string doing, params byte[] command)
    {
        Answer answer = Send(command);
        if (answer.Sw != 0x9000) throw new Failed(doing + ": " + answer.Sw.ToString("X4"));
        return answer.Data;
    }

    public void Select(string doing, byte[] name)
    {
        Done(doing, new byte[] { 0x00, 0xA4, 0x04, 0x00, (byte)name.Length }.Concat(name).ToArray());
    }

    /// READ RECORD by its tag: tag, length, value; the value is GBK, filled up with 00.
    public string Item(string doing, byte file, byte tag)
    {
        byte[] record = Done(doing, 0x00, 0xB2, tag, (byte)(file << 3), 0x00);
        if (record.Length < 2 || record[0] != tag || record[1] != record.Length - 2)
            throw new Failed(doing + ": a record that is none 记录格式错误");
        return Encoding.GetEncoding("gb18030").GetString(record, 2, record.Length - 2).TrimEnd('\0');
    }
}

static class ReadCard
{
    // sx1.sh.社会保障, the last part in GBK: the social security environment (SSSE); and the area of public data (DF01).
    static readonly byte[] SocialSecurity = {
        0x73, 0x78, 0x31, 0x2E, 0x73, 0x68, 0x2E, 0xC9, 0xE7, 0xBB, 0xE1, 0xB1, 0xA3, 0xD5, 0xCF };
    static readonly byte[] PublicData = { 0xD1, 0x56, 0x00, 0x00, 0x05, 0x00 };
    const byte EF05 = 0x05, CardNumber = 0x07, Address = 0x21;
    const string TestPin = "123456";

    /// VERIFY, once, after its tries were asked for; the last one is the cardholder's to use.
    static void Verify(Card card, string pin, TextWriter told)
    {
        int sw = card.Send(0x00, 0x20, 0x00, 0x00, 0x00).Sw;
        if (sw >> 4 != 0x63C) throw new Failed("PIN 密码: " + sw.ToString("X4"));
        told.WriteLine("PIN tries left 密码剩余次数: " + (sw & 0x0F));
        if ((sw & 0x0F) < 2) throw new Failed("PIN 密码: not tried, too few tries left 剩余次数不足，未验证");
        string digits = pin.Length % 2 == 0 ? pin : pin + "F";
        byte[] bytes = Enumerable.Range(0, digits.Length / 2)
            .Select(at => Convert.ToByte(digits.Substring(2 * at, 2), 16)).ToArray();
        sw = card.Send(new byte[] { 0x00, 0x20, 0x00, 0x00, (byte)bytes.Length }.Concat(bytes).ToArray()).Sw;
        if (sw >> 4 == 0x63C)
            throw new Failed(string.Format("PIN 密码: wrong, {0} tries left 错误，剩余{0}次", sw & 0x0F));
        if (sw != 0x9000) throw new Failed("PIN 密码: " + sw.ToString("X4"));
    }

    static void Read(string wanted, string pin, TextWriter told)
    {
        if (pin.Length < 4 || pin.Length > 16 || !pin.All(one => one >= '0' && one <= '9'))
            throw new Failed("CARD_PIN: 4 to 16 digits 4至16位数字");
        IntPtr context = IntPtr.Zero;
        WinSCard.Check("PC/SC", WinSCard.SCardEstablishContext(
            (IntPtr)WinSCard.UserScope, IntPtr.Zero, IntPtr.Zero, ref context));
        try
        {
            using (Card card = Card.Connected(context, wanted, told))
            {
                card.Select("environment 社会保障系统环境", SocialSecurity);
                told.WriteLine("card number 卡号: " + card.Item("card number 卡号", EF05, CardNumber));
                Verify(card, pin, told);
                card.Select("public data 公共应用信息区", PublicData);
                const string address = "registered address 户口所在地地址";
                told.WriteLine(address + ": " + card.Item(address, EF05, Address));
            }
        }
        finally
        {
            WinSCard.SCardReleaseContext(context);
        }
    }

    static int Main(string[] arguments)
    {
        var utf8 = new UTF8Encoding(false);
        using (var told = new StreamWriter(Console.OpenStandardOutput(), utf8))
        using (var errors = new StreamWriter(Console.OpenStandardError(), utf8))
        {
            try
            {
                string pin = Environment.GetEnvironmentVariable("CARD_PIN") ?? TestPin;
                Read(arguments.Length > 0 ? arguments[0] : "", pin, told);
                return 0;
            }
            catch (Exception problem) when (problem is Failed || problem is DllNotFoundException)
            {
                errors.WriteLine("read_card: " + problem.Message);
                return 1;
            }
        }
    }
}
