using System;
using System.Linq;
using System.Runtime.InteropServices;

/// mono Talk.exe READER COMMAND...: the ATR and the answers, a line each, through WinSCard's functions.
static class Talk
{
    // SCARDHANDLE, SCARDCONTEXT and DWORD are `unsigned long` in pcsc-lite, 32 bits on Windows.
    const string Library = "libpcsclite.so.1";
    const int UserScope = 0, Shared = 2, T0 = 1, ResetCard = 1;

    [StructLayout(LayoutKind.Sequential)]
    struct IoRequest { public UIntPtr Protocol, Length; }

    [DllImport(Library)] static extern IntPtr SCardEstablishContext(UIntPtr scope, IntPtr a, IntPtr b, out IntPtr context);
    [DllImport(Library)] static extern IntPtr SCardReleaseContext(IntPtr context);
    [DllImport(Library)] static extern IntPtr SCardConnect(IntPtr context, string reader, UIntPtr share, UIntPtr protocols, out IntPtr card, out UIntPtr protocol);
    [DllImport(Library)] static extern IntPtr SCardDisconnect(IntPtr card, UIntPtr disposition);
    [DllImport(Library)] static extern IntPtr SCardBeginTransaction(IntPtr card);
    [DllImport(Library)] static extern IntPtr SCardEndTransaction(IntPtr card, UIntPtr disposition);
    [DllImport(Library)] static extern IntPtr SCardStatus(IntPtr card, byte[] reader, ref UIntPtr length, out UIntPtr state, out UIntPtr protocol, byte[] atr, ref UIntPtr atrLength);
    [DllImport(Library)] static extern IntPtr SCardTransmit(IntPtr card, ref IoRequest how, byte[] command, UIntPtr length, IntPtr got, byte[] answer, ref UIntPtr answerLength);

    static void Check(IntPtr code)
    {
        if (code != IntPtr.Zero) throw new Exception("0x" + code.ToString("x"));
    }

    static string Hex(byte[] bytes, UIntPtr length)
    {
        return BitConverter.ToString(bytes, 0, (int)length).Replace("-", "");
    }

    static byte[] Bytes(string hex)
    {
        return Enumerable.Range(0, hex.Length / 2).Select(at => Convert.ToByte(hex.Substring(2 * at, 2), 16)).ToArray();
    }

    static void Main(string[] arguments)
    {
        IntPtr context, card;
        UIntPtr protocol, state;
        Check(SCardEstablishContext((UIntPtr)UserScope, IntPtr.Zero, IntPtr.Zero, out context));
        Check(SCardConnect(context, arguments[0], (UIntPtr)Shared, (UIntPtr)T0, out card, out protocol));
        Check(SCardBeginTransaction(card));
        byte[] name = new byte[128], atr = new byte[33];
        UIntPtr nameLength = (UIntPtr)name.Length, atrLength = (UIntPtr)atr.Length;
        Check(SCardStatus(card, name, ref nameLength, out state, out protocol, atr, ref atrLength));
        Console.WriteLine(Hex(atr, atrLength));
        foreach (string command in arguments.Skip(1))
        {
            byte[] bytes = Bytes(command), answer = new byte[258];
            UIntPtr length = (UIntPtr)answer.Length;
            IoRequest how = new IoRequest { Protocol = protocol, Length = (UIntPtr)Marshal.SizeOf(typeof(IoRequest)) };
            Check(SCardTransmit(card, ref how, bytes, (UIntPtr)bytes.Length, IntPtr.Zero, answer, ref length));
            Console.WriteLine(Hex(answer, length));
        }
        Check(SCardEndTransaction(card, (UIntPtr)ResetCard));
        Check(SCardDisconnect(card, (UIntPtr)ResetCard));
        Check(SCardReleaseContext(context));
    }
}
