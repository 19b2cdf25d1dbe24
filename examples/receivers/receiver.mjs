// Receives cupid's callbacks: CUPID_SECRET=… node receiver.mjs [PORT]
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.CUPID_SECRET;
const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);

// Standard Webhooks 1.0.0: one of the signatures is ours, and it is not an old message sent again.
function isGenuine(headers, body) {
	const stamp = headers["webhook-timestamp"] ?? "";
	const code = createHmac("sha256", key).update(`${headers["webhook-id"]}.${stamp}.`).update(body).digest("base64");
	const ours = Buffer.from(`v1,${code}`);
	const given = (headers["webhook-signature"] ?? "").split(" ").map((one) => Buffer.from(one));
	const isFresh = /^\d+$/.test(stamp) && Math.abs(Date.now() / 1000 - Number(stamp)) <= 300;
	return isFresh && given.some((one) => one.length === ours.length && timingSafeEqual(one, ours));
}

// Write the row into the copy here: INSERT … ON DUPLICATE KEY UPDATE. It may come again, which must do no harm.
// JSON.parse rounds integers above 2^53; "numbersAsStrings": true in cupid's configuration keeps their digits.
async function repair(kind, row) {
	console.log(kind === 1 ? "missing" : "different", row);
}

createServer(async (request, response) => {
	try {
		const body = Buffer.concat(await request.toArray());
		const status = isGenuine(request.headers, body) ? 200 : 401;
		if (status === 200) {
			const callback = JSON.parse(body);
			await repair(callback.type, callback.srcColumn);
		}
		response.writeHead(status).end();
	} catch (error) {
		console.error(error);
		response.writeHead(500).end(); // cupid tries again
	}
}).listen(Number(process.argv[2] ?? 20000), "127.0.0.1");
