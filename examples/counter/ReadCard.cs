// Reads a social security card through SSCardDriver: who it is of, then, after the PIN, the registered address.
//
//     sscard driver build -o build && mcs ReadCard.cs && export LD_LIBRARY_PATH=build
//     SSCARD_DRIVER_ARGS="--persona pin-changed --psam --pad 142857,142857" mono ReadCard.exe
//
// The PIN is entered at the PIN pad, never here: the virtual one is given the test card's by --pad.
// The exit code is 0 when all was read, else 1 with the library's code and text on stderr.
// mono has GBK by Debian's libmono-i18n-cjk4.0-cil.
using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

class Failed : Exception
{
    public Failed(string text) : base(text) { }
}

/// The library gives a C long, of 64 bits on Linux and 32 on Windows: IntPtr is wide enough for both, and the code is in
/// the low 32 bits.
static class SSCardDriver
{
    const string Library = "SSCardDriver";

    [DllImport(Library)] public static extern IntPtr iReadCardBas(int iType, byte[] pOutInfo);
    [DllImport(Library)] public static extern IntPtr iReadCard(int iType, int iAuthType, byte[] pCardInfo, byte[] pFileAddr, byte[] pOutInfo);
    [DllImport(Library)] public static extern IntPtr iVerifyPIN(int iType, byte[] pOutInfo);
    [DllImport(Library)] public static extern IntPtr iChangePIN(int iType, byte[] pOutInfo);

    public static int Code(IntPtr result)
    {
        return unchecked((int)(long)result);
    }
}

static class ReadCard
{
    const int EitherContactFirst = 3, AfterPin = 1, InitialPin = -35, Fields = 11;
    const int CardNumber = 2, Identification = 3, Name = 4;
    const string Address = "DF01EF05|21|$";

    static readonly Encoding Gbk = Encoding.GetEncoding("gb18030");
    static readonly byte[] Out = new byte[4096];

    static string Text()
    {
        return Gbk.GetString(Out, 0, Array.IndexOf(Out, (byte)0));
    }

    static byte[] Bytes(string text)
    {
        return Gbk.GetBytes(text + "\0");
    }

    static void Check(string function, int code)
    {
        if (code != 0) throw new Failed(function + ": " + code + " " + Text());
    }

    /// What stands before each |; at least so many fields.
    static string[] Split(string function, int fields)
    {
        string[] found = Text().Split('|');
        if (found.Length <= fields) throw new Failed(function + ": not all its fields 字段不全");
        return found;
    }

    static void Read(TextWriter told)
    {
        Check("iReadCardBas", SSCardDriver.Code(SSCardDriver.iReadCardBas(EitherContactFirst, Out)));
        string[] basic = Split("iReadCardBas", Fields);
        told.WriteLine("card number 卡号: " + basic[CardNumber]);
        told.WriteLine("name 姓名: " + basic[Name]);

        int code = SSCardDriver.Code(SSCardDriver.iVerifyPIN(EitherContactFirst, Out));
        if (code == InitialPin) // right, but a new card's: its holder is to set their own
        {
            Check("iChangePIN", SSCardDriver.Code(SSCardDriver.iChangePIN(EitherContactFirst, Out)));
            told.WriteLine("PIN 密码: changed 已修改");
        }
        else
        {
            Check("iVerifyPIN", code);
            told.WriteLine("PIN 密码: verified 已验证");
        }

        // Of this very card: the library refuses another that came into the reader meanwhile.
        byte[] card = Bytes(basic[Identification] + "|" + basic[CardNumber] + "|");
        Check("iReadCard", SSCardDriver.Code(
            SSCardDriver.iReadCard(EitherContactFirst, AfterPin, card, Bytes(Address), Out)));
        told.WriteLine("registered address 户口所在地地址: " + Split("iReadCard", 2)[1]);
    }

    static int Main()
    {
        var utf8 = new UTF8Encoding(false);
        using (var told = new StreamWriter(Console.OpenStandardOutput(), utf8))
        using (var errors = new StreamWriter(Console.OpenStandardError(), utf8))
        {
            try
            {
                Read(told);
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
