package gatehouse

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// ID is a 128-bit row id. NewID's values sort by the time they were made
// (48 bits of milliseconds, then a counter, then randomness), which keeps inserts
// at the end of an index; a subject's id comes from RandomID and says nothing.
type ID [16]byte

var clock struct {
	sync.Mutex
	ms  int64
	seq uint16
}

// NewID returns a time-ordered id for the moment t. Ids of one process grow
// strictly as long as t does not go back.
func NewID(t time.Time) ID {
	clock.Lock()
	ms := t.UnixMilli()
	if ms <= clock.ms && clock.ms-ms < 1000 {
		ms = clock.ms
		clock.seq++
		if clock.seq == 0 {
			ms++
		}
	} else {
		clock.seq = 0
	}
	clock.ms = ms
	seq := clock.seq
	clock.Unlock()

	id := RandomID()
	binary.BigEndian.PutUint64(id[:8], uint64(ms)<<16|uint64(seq))
	return id
}

// RandomID returns an id that says nothing about when it was made.
func RandomID() ID {
	var id ID
	if _, err := rand.Read(id[:]); err != nil {
		panic("the system has no randomness: " + err.Error())
	}
	return id
}

// IsZero reports whether the id is unset.
func (id ID) IsZero() bool { return id == ID{} }

// String gives 32 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Time returns the moment in a time-ordered id, to the millisecond.
func (id ID) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// FirstID is the smallest time-ordered id of the moment t: as a cursor, all that came before.
func FirstID(t time.Time) (id ID) {
	binary.BigEndian.PutUint64(id[:8], uint64(t.UnixMilli())<<16)
	return id
}

// MarshalText and UnmarshalText give ids their text form wherever they travel.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the form that String writes.
func (id *ID) UnmarshalText(b []byte) error {
	parsed, err := ParseID(string(b))
	if err == nil {
		*id = parsed
	}
	return err
}

// ParseID reads the form that String writes.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 32 {
		return ID{}, Errorf("id.malformed", "an id is 32 hexadecimal digits", "this is not an id")
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, Errorf("id.malformed", "an id is 32 hexadecimal digits", "this is not an id")
	}
	return id, nil
}

// Names of things that an operator chose. They are metadata: lower-case letters,
// digits and hyphens, at most 40, and no place for anything personal.
type (
	OrgID    string
	SiteID   string
	ZoneID   string
	GateID   string
	DeviceID string
)

// SubjectID is the opaque id of a person, a vehicle or a one-off. It is random,
// and erasing the subject replaces it wherever it stands in metadata.
type SubjectID = ID

// CheckName returns an error unless s may name an organization, site, gate or device.
func CheckName(s string) error {
	ok := len(s) > 0 && len(s) <= 40 && s[0] != '-'
	for _, r := range s {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}
	if !ok {
		return Errorf("name.malformed", "use 1 to 40 lower-case letters, digits and hyphens", "%q cannot name a site, gate or device", s)
	}
	return nil
}
