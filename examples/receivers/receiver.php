<?php
// Receives cupid's callbacks: CUPID_SECRET=… php -S 127.0.0.1:20000 receiver.php

$secret = getenv('CUPID_SECRET');
$key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6)) : $secret;

// Standard Webhooks 1.0.0: one of the signatures is ours, and it is not an old message sent again.
function isGenuine(string $key, string $body): bool
{
    $stamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!ctype_digit($stamp) || abs(time() - (int) $stamp) > 300) {
        return false;
    }
    $signed = ($_SERVER['HTTP_WEBHOOK_ID'] ?? '') . ".$stamp.$body";
    $ours = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true));
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $one) {
        if (hash_equals($ours, $one)) {
            return true;
        }
    }
    return false;
}

// Write the row into the copy here: INSERT … ON DUPLICATE KEY UPDATE. It may come again, which must do no harm.
function repair(int $kind, array $row): void
{
    error_log(($kind === 1 ? 'missing ' : 'different ') . json_encode($row));
}

http_response_code(500); // an error below answers this: cupid tries again
$body = file_get_contents('php://input');
if (!isGenuine($key, $body)) {
    http_response_code(401);
    return;
}
$callback = json_decode($body, true, 512, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING);
repair($callback['type'], $callback['srcColumn']);
http_response_code(200);
