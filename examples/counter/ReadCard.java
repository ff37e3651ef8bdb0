import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.Map;

/**
 * Reads a social security card through SSCardDriver: who it is of, then, after the PIN, the registered address.
 *
 * <pre>
 * sscard driver build -o build &amp;&amp; export CLASSPATH=/usr/share/java/jna.jar:. &amp;&amp; javac -encoding UTF-8 ReadCard.java
 * SSCARD_DRIVER_ARGS="--persona pin-changed --psam --pad 142857,142857" java -Djna.library.path=build ReadCard
 * </pre>
 *
 * The PIN is entered at the PIN pad, never here: the virtual one is given the test card's by --pad. The exit code is 0 when
 * all was read, else 1 with the library's code and text on stderr.
 */
class ReadCard {
    /** Strings go in and come out in GBK. */
    public interface SSCardDriver extends Library {
        NativeLong iReadCardBas(int iType, byte[] pOutInfo);

        NativeLong iReadCard(int iType, int iAuthType, String pCardInfo, String pFileAddr, byte[] pOutInfo);

        NativeLong iVerifyPIN(int iType, byte[] pOutInfo);

        NativeLong iChangePIN(int iType, byte[] pOutInfo);
    }

    static final int EITHER_CONTACT_FIRST = 3, AFTER_PIN = 1, INITIAL_PIN = -35, FIELDS = 11;
    static final int CARD_NUMBER = 2, IDENTIFICATION = 3, NAME = 4;
    static final String ADDRESS = "DF01EF05|21|$";
    static final String GBK = "GB18030";
    static final PrintStream OUT = new PrintStream(System.out, true, Charset.forName("UTF-8"));
    static final PrintStream ERRORS = new PrintStream(System.err, true, Charset.forName("UTF-8"));

    /** The card was not read; the text says why. */
    static class Failed extends Exception {
        Failed(String text) {
            super(text);
        }
    }

    static void check(String function, NativeLong code, byte[] out) throws Failed {
        if (code.longValue() != 0) throw new Failed(function + ": " + code + " " + Native.toString(out, GBK));
    }

    /** What stands before each |; at least so many fields. */
    static String[] split(String function, byte[] out, int fields) throws Failed {
        String[] found = Native.toString(out, GBK).split("\\|", -1);
        if (found.length <= fields) throw new Failed(function + ": not all its fields 字段不全");
        return found;
    }

    static void read(SSCardDriver driver) throws Failed {
        byte[] out = new byte[4096];
        check("iReadCardBas", driver.iReadCardBas(EITHER_CONTACT_FIRST, out), out);
        String[] basic = split("iReadCardBas", out, FIELDS);
        OUT.println("card number 卡号: " + basic[CARD_NUMBER]);
        OUT.println("name 姓名: " + basic[NAME]);

        NativeLong code = driver.iVerifyPIN(EITHER_CONTACT_FIRST, out);
        if (code.longValue() == INITIAL_PIN) { // right, but a new card's: its holder is to set their own
            check("iChangePIN", driver.iChangePIN(EITHER_CONTACT_FIRST, out), out);
            OUT.println("PIN 密码: changed 已修改");
        } else {
            check("iVerifyPIN", code, out);
            OUT.println("PIN 密码: verified 已验证");
        }

        // Of this very card: the library refuses another that came into the reader meanwhile.
        String card = basic[IDENTIFICATION] + "|" + basic[CARD_NUMBER] + "|";
        check("iReadCard", driver.iReadCard(EITHER_CONTACT_FIRST, AFTER_PIN, card, ADDRESS, out), out);
        OUT.println("registered address 户口所在地地址: " + split("iReadCard", out, 2)[1]);
    }

    public static void main(String[] arguments) {
        try {
            read(Native.load("SSCardDriver", SSCardDriver.class, Map.of(Library.OPTION_STRING_ENCODING, GBK)));
        } catch (Failed | UnsatisfiedLinkError problem) {
            ERRORS.println("read_card: " + problem.getMessage());
            System.exit(1);
        }
    }
}
