package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// Letterbox answers POST /admin/v1/keys/letterbox: a key of the vault process to seal one
// credential to (gatehouse.Letterbox).
type Letterbox struct {
	Vault string `json:"vault"`
	Key   []byte `json:"key"`
}

// Credential is what opens the vault key. On the socket its secret is always sealed.
type Credential struct {
	Kind   gatehouse.CredentialKind `json:"kind"`             // passphrase, file, pkcs11, tpm
	Source string                   `json:"source,omitempty"` // where the token or TPM is
	Secret []byte                   `json:"secret,omitempty"` // base64
	Sealed bool                     `json:"sealed,omitempty"` // to a Letterbox
}

// LogValue redacts the secret.
func (c Credential) LogValue() slog.Value { return slog.StringValue(string(c.Kind)) }

// Shown is c for the wire.
func Shown(c gatehouse.Credential) Credential {
	return Credential(c)
}

// Credential is c for the vault.
func (c Credential) Credential() gatehouse.Credential {
	return gatehouse.Credential(c)
}

// Shows is a request with credentials, which are sealed when they come over the socket.
type Shows interface{ Credentials() []Credential }

// UnsealWithRequest unseals the vault with any credential. POST /admin/v1/keys/unseal.
type UnsealWithRequest struct {
	With    Credential `json:"with"`
	Seconds int        `json:"seconds"` // 1..86400
}

// LogValue redacts the credential.
func (UnsealWithRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r UnsealWithRequest) Credentials() []Credential { return []Credential{r.With} }

// KeysStatus answers GET /admin/v1/keys: names, dates and labels, no secret.
type KeysStatus struct {
	Current          string `json:"current"` // the vault key that is sealed to
	Keys             []Key  `json:"keys"`    // generations, the oldest first
	GateCustody      string `json:"gate_custody"`
	GateCustodyMeans string `json:"gate_custody_means"`
}

// KeysCheckRequest asks for a check of the key store. POST /admin/v1/keys/check.
type KeysCheckRequest struct {
	With Credential `json:"with,omitzero"` // what opens the vault, where no server runs
}

// LogValue redacts the credential.
func (KeysCheckRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r KeysCheckRequest) Credentials() []Credential { return []Credential{r.With} }

// KeysCheck says which rows of the key store are damaged. What was sealed under all
// others can be opened.
type KeysCheck struct {
	OK       bool         `json:"ok"`
	Rows     int64        `json:"rows"`
	Readable int64        `json:"readable"`
	Opened   bool         `json:"seeds_opened"` // every seed was opened; otherwise the vault was sealed
	Subjects int          `json:"subjects_affected"`
	Days     int          `json:"days_affected"`
	Damaged  []DamagedKey `json:"damaged"`         // at most 1,000
	Pages    string       `json:"pages,omitempty"` // what is wrong with the file as a database
}

// DamagedKey is a row of the key store, or a run of rows.
type DamagedKey struct {
	First   int64                    `json:"first"`
	Last    int64                    `json:"last"`
	What    string                   `json:"what"`
	Subject gatehouse.SubjectID      `json:"subject,omitzero"`
	Class   gatehouse.RetentionClass `json:"class,omitempty"`
	Day     string                   `json:"day,omitempty"`
}

// Key is one generation of the vault key.
type Key struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Retired time.Time `json:"retired,omitzero"`
	Chains  int       `json:"chains"` // rows of the key store that are sealed to it
	Slots   []Slot    `json:"slots"`
}

// Slot is one way to open a key.
type Slot struct {
	ID      string                   `json:"id"`
	Kind    gatehouse.CredentialKind `json:"kind"`
	Label   string                   `json:"label"`
	Created time.Time                `json:"created"`
}

// AddSlotRequest lets New open the vault key, which With opens. POST /admin/v1/keys/slots.
type AddSlotRequest struct {
	With  Credential `json:"with"`
	New   Credential `json:"new"`
	Label string     `json:"label,omitempty"`
}

// LogValue redacts the credentials.
func (AddSlotRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r AddSlotRequest) Credentials() []Credential { return []Credential{r.With, r.New} }

// AddSlotResponse names the slot.
type AddSlotResponse struct {
	Slot string `json:"slot"`
}

// RemoveSlotRequest takes a slot away. POST /admin/v1/keys/slots/{id}/remove.
type RemoveSlotRequest struct {
	With Credential `json:"with"`
}

// LogValue redacts the credential.
func (RemoveSlotRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r RemoveSlotRequest) Credentials() []Credential { return []Credential{r.With} }

// SplitRequest makes shares of the vault key. POST /admin/v1/keys/split.
type SplitRequest struct {
	With      Credential `json:"with"`
	Threshold int        `json:"threshold"`
	Shares    int        `json:"shares"`
}

// LogValue redacts the credential.
func (SplitRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r SplitRequest) Credentials() []Credential { return []Credential{r.With} }

// SplitResponse holds the shares' texts: enough of them are the key.
type SplitResponse struct {
	Shares []string `json:"shares"`
}

// LogValue redacts the shares.
func (SplitResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// ExportResponse holds the keyring bundle. POST /admin/v1/keys/export.
type ExportResponse struct {
	Bundle []byte `json:"bundle"`
}

// LogValue leaves it out.
func (ExportResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// NoteRequest notes in the audit log what was done to a key's files.
// POST /admin/v1/keys/note.
type NoteRequest struct {
	Event string `json:"event"` // recovered, imported
	Key   string `json:"key"`   // its name
}

// RotateRequest begins the rotation of the vault key, or goes on with it.
// POST /admin/v1/keys/rotate/vault.
type RotateRequest struct {
	With Credential `json:"with"`
}

// LogValue redacts the credential.
func (RotateRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Credentials implements Shows.
func (r RotateRequest) Credentials() []Credential { return []Credential{r.With} }

// RotateResponse says how the rotation begins; Ticket goes into RotateBatchRequest.
type RotateResponse struct {
	From       string `json:"from"`
	To         string `json:"to"`
	Resumed    bool   `json:"resumed"`
	Left       int    `json:"left"`
	OtherSlots int    `json:"other_slots"` // slots of the old key that do not open the new one
	Ticket     []byte `json:"ticket"`
}

// LogValue leaves the ticket out.
func (r RotateResponse) LogValue() slog.Value { return slog.StringValue(r.To) }

// RotateBatchRequest moves a batch of rows. POST /admin/v1/keys/rotate/vault/batch.
type RotateBatchRequest struct {
	Ticket []byte `json:"ticket"`
}

// LogValue leaves the ticket out.
func (RotateBatchRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// RotateBatchResponse says how far it is.
type RotateBatchResponse struct {
	Moved   int  `json:"moved"` // by this batch
	Left    int  `json:"left"`
	Damaged int  `json:"damaged"` // of those that are left: they do not open
	Done    bool `json:"done"`
}
