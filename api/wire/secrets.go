package wire

import (
	"log/slog"
	"time"
)

// SecretRequest keeps a secret. PUT /admin/v1/secrets/{name}.
type SecretRequest struct {
	Value string `json:"value"`
}

// LogValue redacts the secret.
func (SecretRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// SecretName is a secret without what it is.
type SecretName struct {
	Name string    `json:"name"`
	Set  time.Time `json:"set"`
}

// SecretsResponse answers GET /admin/v1/secrets.
type SecretsResponse struct {
	Secrets []SecretName `json:"secrets"`
}
