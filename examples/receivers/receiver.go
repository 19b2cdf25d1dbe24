// Receives cupid's callbacks: CUPID_SECRET=… go run receiver.go [ADDRESS]
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// key is the secret as bytes: Base64 after whsec_, else the text itself.
func key() []byte {
	secret := os.Getenv("CUPID_SECRET")
	if strings.HasPrefix(secret, "whsec_") {
		decoded, err := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
		if err != nil {
			log.Fatal("CUPID_SECRET: ", err)
		}
		return decoded
	}
	return []byte(secret)
}

// isGenuine as Standard Webhooks 1.0.0 has it: one of the signatures is ours, and it is not an old message sent again.
func isGenuine(key []byte, header http.Header, body []byte) bool {
	stamp := header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, header.Get("webhook-id")+"."+stamp+".")
	mac.Write(body)
	ours := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, one := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(one), ours) {
			return true
		}
	}
	return false
}

type callback struct {
	Type      int                        `json:"type"` // 1: the copy lacks the row, 2: it differs
	SrcColumn map[string]json.RawMessage `json:"srcColumn"`
}

// repair writes the row into the copy: INSERT … ON DUPLICATE KEY UPDATE. It may come again, which must do no harm.
func repair(callback callback) error {
	log.Printf("%d %s", callback.Type, callback.SrcColumn)
	return nil
}

func main() {
	address, key := "127.0.0.1:20000", key()
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	log.Fatal(http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var parsed callback
		switch {
		case !isGenuine(key, r.Header, body):
			w.WriteHeader(http.StatusUnauthorized)
		case json.Unmarshal(body, &parsed) != nil || repair(parsed) != nil:
			w.WriteHeader(http.StatusInternalServerError) // cupid tries again
		}
	})))
}
