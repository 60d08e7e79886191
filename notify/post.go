package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// postSigned sends one message as the Standard Webhooks specification says (symmetric
// signatures, v1), and returns the answer's status, 0 where none came. Errors:
// webhook.secret, webhook.unreachable, webhook.private, webhook.refused.
func postSigned(ctx context.Context, client *http.Client, url string, secret gatehouse.Secret, id string, at time.Time, body []byte) (status int, err error) {
	key, err := signingKey(secret)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, gatehouse.Errorf("webhook.unreachable", "check its address", "the webhook's address is none")
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Gatehouse")
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", stamp)
	r.Header.Set("webhook-signature", sign(key, id, stamp, body))
	answer, err := client.Do(r)
	if err != nil { // whose words would name the address
		if errors.Is(err, errPrivate) {
			return 0, errPrivate
		}
		return 0, gatehouse.Errorf("webhook.unreachable", "check its address and the network", "the webhook cannot be reached")
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return answer.StatusCode, gatehouse.Errorf("webhook.refused", "look at the receiver's log", "the webhook answered with status %d", answer.StatusCode)
	}
	return answer.StatusCode, nil
}

func signingKey(secret gatehouse.Secret) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, gatehouse.Errorf("webhook.secret", "set it as whsec_ and base64 of 24 to 64 random bytes", "the webhook's secret is malformed")
	}
	return key, nil
}

// sign gives the signature header's value.
func sign(key []byte, id, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
