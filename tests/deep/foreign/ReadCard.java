import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;

/** java ReadCard LIBRARY: the code of iReadCardBas, then pOutInfo, through JNA. */
class ReadCard {
    public interface SSCardDriver extends Library {
        NativeLong iReadCardBas(int iType, byte[] pOutInfo);
    }

    public static void main(String[] arguments) throws Exception {
        SSCardDriver driver = Native.load(arguments[0], SSCardDriver.class);
        byte[] out = new byte[4096];
        long code = driver.iReadCardBas(3, out).longValue();
        int end = 0;
        while (out[end] != 0) end++;
        System.out.write((code + "\t" + new String(out, 0, end, "GBK") + "\n").getBytes("UTF-8"));
        System.out.flush();
    }
}
