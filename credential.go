package gatehouse

import "log/slog"

// CredentialKind says by what a key is kept wrapped.
type CredentialKind string

// The kinds that exist.
const (
	PassphraseCredential CredentialKind = "passphrase" // scrypt, as in age
	FileCredential       CredentialKind = "file"       // 32 random bytes on other media
	PKCS11Credential     CredentialKind = "pkcs11"     // an AES key that never leaves a token
	TPMCredential        CredentialKind = "tpm"        // a TPM 2.0
)

// Name is what people call it.
func (k CredentialKind) Name() string {
	switch k {
	case FileCredential:
		return "key file"
	case PKCS11Credential:
		return "token"
	case TPMCredential:
		return "TPM"
	}
	return string(k)
}

// Credential is what a person shows to unwrap a key.
type Credential struct {
	Kind CredentialKind
	// Source says where a token or TPM is, without any secret: a module and its token
	// ("MODULE?token=T&key=K"), a device or "unix:SOCKET". Empty for the other kinds.
	Source string
	// Secret is the passphrase, the key file's 32 bytes, the token's PIN, or the TPM
	// object's authorization value (which may be empty).
	Secret []byte
	Sealed bool // Secret is sealed to a Letterbox
}

// Passphrase is the credential that most people have.
func Passphrase(p []byte) Credential { return Credential{Kind: PassphraseCredential, Secret: p} }

// IsZero reports whether no credential was given.
func (c Credential) IsZero() bool { return c.Kind == "" }

// LogValue keeps the secret out of logs.
func (c Credential) LogValue() slog.Value { return slog.StringValue(string(c.Kind)) }

// String keeps it out of texts.
func (c Credential) String() string { return string(c.Kind) + " credential" }
