// Receives cupid's callbacks: CUPID_SECRET=… java Receiver.java [PORT] (Java 17 or later)
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

class Receiver {
    static final String SECRET = System.getenv("CUPID_SECRET");
    static final byte[] KEY = SECRET.startsWith("whsec_")
        ? Base64.getDecoder().decode(SECRET.substring(6)) : SECRET.getBytes(StandardCharsets.UTF_8);

    /** Standard Webhooks 1.0.0: one of the signatures is ours, and it is not an old message sent again. */
    static boolean isGenuine(HttpExchange exchange, byte[] body) throws Exception {
        String stamp = header(exchange, "webhook-timestamp");
        if (!stamp.matches("\\d{1,15}") || Math.abs(Instant.now().getEpochSecond() - Long.parseLong(stamp)) > 300) {
            return false;
        }
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
        mac.update((header(exchange, "webhook-id") + "." + stamp + ".").getBytes(StandardCharsets.UTF_8));
        byte[] ours = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(StandardCharsets.UTF_8);
        return Arrays.stream(header(exchange, "webhook-signature").split(" "))
            .anyMatch(one -> MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), ours));
    }

    static String header(HttpExchange exchange, String name) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name)).orElse("");
    }

    /** Parse {"type": 1 or 2, "srcColumn": {…}} with your JSON library and write the row into the copy here:
     *  INSERT … ON DUPLICATE KEY UPDATE. It may come again, which must do no harm. */
    static void repair(String callback) {
        System.out.println(callback);
    }

    static void receive(HttpExchange exchange) throws IOException {
        int status = 500; // cupid tries again
        try {
            byte[] body = exchange.getRequestBody().readAllBytes();
            status = isGenuine(exchange, body) ? 200 : 401;
            if (status == 200) {
                repair(new String(body, StandardCharsets.UTF_8));
            }
        } catch (Exception error) {
            status = 500;
            error.printStackTrace();
        }
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    public static void main(String[] arguments) throws IOException {
        int port = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 20000;
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", Receiver::receive);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
    }
}
