import java.util.HexFormat;
import javax.smartcardio.Card;
import javax.smartcardio.CardChannel;
import javax.smartcardio.CardTerminal;
import javax.smartcardio.CommandAPDU;
import javax.smartcardio.TerminalFactory;

/** java Talk READER COMMAND...: the ATR and the answers, a line each, through javax.smartcardio. */
class Talk {
    public static void main(String[] arguments) throws Exception {
        HexFormat hex = HexFormat.of().withUpperCase();
        CardTerminal reader = TerminalFactory.getDefault().terminals().getTerminal(arguments[0]);
        Card card = reader.connect("T=0");
        card.beginExclusive();
        System.out.println(hex.formatHex(card.getATR().getBytes()));
        CardChannel channel = card.getBasicChannel();
        for (int at = 1; at < arguments.length; at++) {
            CommandAPDU command = new CommandAPDU(hex.parseHex(arguments[at]));
            System.out.println(hex.formatHex(channel.transmit(command).getBytes()));
        }
        card.endExclusive();
        card.disconnect(true);
    }
}
