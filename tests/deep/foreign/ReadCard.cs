using System;
using System.Runtime.InteropServices;
using System.Text;

/// mono ReadCard.exe: the code of iReadCardBas, then pOutInfo, by P/Invoke. The library is found through LD_LIBRARY_PATH.
static class ReadCard
{
    [DllImport("libSSCardDriver.so")] static extern IntPtr iReadCardBas(int iType, byte[] pOutInfo);

    static void Main()
    {
        byte[] answer = new byte[4096];
        long code = (long)iReadCardBas(3, answer);
        string text = Encoding.GetEncoding("gb18030").GetString(answer, 0, Array.IndexOf(answer, (byte)0));
        byte[] line = Encoding.UTF8.GetBytes(code + "\t" + text + "\n");
        Console.OpenStandardOutput().Write(line, 0, line.Length);
    }
}
