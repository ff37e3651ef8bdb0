import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.HexFormat;
import java.util.List;
import javax.smartcardio.Card;
import javax.smartcardio.CardChannel;
import javax.smartcardio.CardException;
import javax.smartcardio.CardNotPresentException;
import javax.smartcardio.CardTerminal;
import javax.smartcardio.CommandAPDU;
import javax.smartcardio.ResponseAPDU;
import javax.smartcardio.TerminalFactory;

/**
 * Reads a social security card through PC/SC: the card number, then, after the PIN, the registered address.
 *
 * <pre>
 * javac -encoding UTF-8 ReadCard.java
 * CARD_PIN=123456 java -Dsun.security.smartcardio.library=/usr/lib/x86_64-linux-gnu/libpcsclite.so.1 ReadCard [READER]
 * </pre>
 *
 * 123456, also without CARD_PIN, is the PIN of the virtual test card; a real cardholder enters their own. The exit code is
 * 0 when all was read, else 1 with the reason on stderr. The property is needed on Linux alone. javax.smartcardio itself
 * follows 61xx and 6Cxx.
 */
class ReadCard {
    /** sx1.sh.社会保障, the last part in GBK: the social security environment (SSSE). */
    static final byte[] ENVIRONMENT = HexFormat.of().parseHex("7378312E73682EC9E7BBE1B1A3D5CF");
    /** The area of public data (DF01). */
    static final byte[] PUBLIC_DATA = HexFormat.of().parseHex("D15600000500");
    static final int EF05 = 0x05, CARD_NUMBER = 0x07, ADDRESS = 0x21;
    static final String TEST_PIN = "123456";
    static final PrintStream OUT = new PrintStream(System.out, true, Charset.forName("UTF-8"));
    static final PrintStream ERRORS = new PrintStream(System.err, true, Charset.forName("UTF-8"));

    /** The card was not read; the text says why. */
    static class Failed extends Exception {
        Failed(String text) {
            super(text);
        }
    }

    /** The card in that reader, or in the first that has one. */
    static Card connected(String wanted) throws CardException, Failed {
        boolean found = false;
        for (CardTerminal reader : readers()) {
            if (!wanted.isEmpty() && !wanted.equals(reader.getName())) continue;
            found = true;
            try {
                Card card = reader.connect("T=0");
                OUT.println("reader 读卡器: " + reader.getName());
                return card;
            } catch (CardNotPresentException away) {
                // the next reader may have one
            }
        }
        throw new Failed(found ? "no card in a reader 读卡器中没有卡" : "no such reader 没有这个读卡器");
    }

    static List<CardTerminal> readers() throws CardException {
        try {
            return TerminalFactory.getDefault().terminals().list();
        } catch (CardException none) {
            if (String.valueOf(none.getCause()).contains("SCARD_E_NO_READERS_AVAILABLE")) return List.of();
            throw none;
        }
    }

    static byte[] done(CardChannel channel, String doing, CommandAPDU command) throws CardException, Failed {
        ResponseAPDU answer = channel.transmit(command);
        if (answer.getSW() != 0x9000) throw new Failed(String.format("%s: %04X", doing, answer.getSW()));
        return answer.getData();
    }

    static void select(CardChannel channel, String doing, byte[] name) throws CardException, Failed {
        done(channel, doing, new CommandAPDU(0x00, 0xA4, 0x04, 0x00, name));
    }

    /** READ RECORD by its tag: tag, length, value; the value is GBK, filled up with 00. */
    static String item(CardChannel channel, String doing, int file, int tag) throws CardException, Failed {
        byte[] record = done(channel, doing, new CommandAPDU(0x00, 0xB2, tag, file << 3, 256));
        if (record.length < 2 || record[0] != tag || record[1] != record.length - 2) {
            throw new Failed(doing + ": a record that is none 记录格式错误");
        }
        int end = record.length;
        while (end > 2 && record[end - 1] == 0) end--;
        return new String(record, 2, end - 2, Charset.forName("GB18030"));
    }

    /** VERIFY, once, after its tries were asked for; the last one is the cardholder's to use. */
    static void verify(CardChannel channel, String pin) throws CardException, Failed {
        int sw = channel.transmit(new CommandAPDU(0x00, 0x20, 0x00, 0x00)).getSW();
        if (sw >> 4 != 0x63C) throw new Failed(String.format("PIN 密码: %04X", sw));
        OUT.println("PIN tries left 密码剩余次数: " + (sw & 0x0F));
        if ((sw & 0x0F) < 2) throw new Failed("PIN 密码: not tried, too few tries left 剩余次数不足，未验证");
        byte[] digits = HexFormat.of().parseHex(pin.length() % 2 == 0 ? pin : pin + "F");
        sw = channel.transmit(new CommandAPDU(0x00, 0x20, 0x00, 0x00, digits)).getSW();
        if (sw >> 4 == 0x63C) {
            throw new Failed(String.format("PIN 密码: wrong, %d tries left 错误，剩余%1$d次", sw & 0x0F));
        }
        if (sw != 0x9000) throw new Failed(String.format("PIN 密码: %04X", sw));
    }

    static void read(String wanted, String pin) throws CardException, Failed {
        if (!pin.matches("[0-9]{4,16}")) throw new Failed("CARD_PIN: 4 to 16 digits 4至16位数字");
        Card card = connected(wanted);
        try {
            CardChannel channel = card.getBasicChannel();
            select(channel, "environment 社会保障系统环境", ENVIRONMENT);
            OUT.println("card number 卡号: " + item(channel, "card number 卡号", EF05, CARD_NUMBER));
            verify(channel, pin);
            select(channel, "public data 公共应用信息区", PUBLIC_DATA);
            String address = "registered address 户口所在地地址";
            OUT.println(address + ": " + item(channel, address, EF05, ADDRESS));
        } finally {
            card.disconnect(true);
        }
    }

    public static void main(String[] arguments) {
        try {
            read(arguments.length > 0 ? arguments[0] : "", System.getenv().getOrDefault("CARD_PIN", TEST_PIN));
        } catch (CardException | Failed problem) {
            ERRORS.println("read_card: " + problem.getMessage());
            System.exit(1);
        }
    }
}
