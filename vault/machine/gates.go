package machine

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"time"

	"gatehouse"
)

// Gate is a site whose gate was paired with this vault.
type Gate struct {
	Org     gatehouse.OrgID  `json:"org"`
	Site    gatehouse.SiteID `json:"site"`
	Serial  string           `json:"serial"` // of its certificate, hexadecimal; another one is refused
	Paired  time.Time        `json:"paired"`
	Expires time.Time        `json:"expires"`
	Revoked bool             `json:"revoked,omitempty"`
}

// Place is the site.
func (g Gate) Place() gatehouse.Place { return gatehouse.Place{Org: g.Org, Site: g.Site} }

// MaxPaired is the longest that an identity may be good for.
const MaxPaired = 5 * 366 * 24 * time.Hour

// Pair makes the identity of a site's gate, good for so long, and returns its file.
// Whoever is paired again gets a new one, and the earlier one is refused from then on.
// Errors: name.malformed, pairing.duration, machine.failed.
func (m *Machine) Pair(place gatehouse.Place, address string, lasts time.Duration) ([]byte, error) {
	if _, err := ParsePlace(string(place.Org) + "/" + string(place.Site)); err != nil {
		return nil, err
	}
	if lasts <= 0 || lasts > MaxPaired {
		return nil, gatehouse.Errorf("pairing.duration", "use up to five years", "an identity cannot be good for that long")
	}
	m.pairing.Lock()
	defer m.pairing.Unlock()
	now := m.o.Now()
	id, serial, err := m.authority.identity(place, now.Add(lasts))
	if err != nil {
		return nil, err
	}
	id.Address, id.PublicKey = address, m.publicKey()
	file, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return nil, failed(err)
	}
	if err := m.prepare(place); err != nil {
		return nil, err
	}
	return append(file, '\n'), m.put(Gate{Org: place.Org, Site: place.Site, Serial: serial, Paired: now.UTC(), Expires: now.Add(lasts).UTC()})
}

// Revoke ends a gate's identity: its connections end with their next call. Its files
// stay, and pairing it again brings it back. Errors: gate.unknown, machine.failed.
func (m *Machine) Revoke(place gatehouse.Place) error {
	m.mu.Lock()
	g := m.find(place)
	if g == nil {
		m.mu.Unlock()
		return unknownGate(place)
	}
	revoked := *g
	m.mu.Unlock()
	revoked.Revoked = true
	if err := m.put(revoked); err != nil {
		return err
	}
	m.dropProof(place)
	return nil
}

// publicKey is the text of vault.pub.
func (m *Machine) publicKey() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.public
}

func (m *Machine) put(g Gate) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	gates := slices.DeleteFunc(slices.Clone(m.gates), func(old Gate) bool { return old.Place() == g.Place() })
	gates = append(gates, g)
	if err := writeJSON(filepath.Join(m.o.Dir, gatesFile), gates); err != nil {
		return err
	}
	m.gates = gates
	return nil
}

// find must be called with the lock held.
func (m *Machine) find(place gatehouse.Place) *Gate {
	for i := range m.gates {
		if m.gates[i].Place() == place {
			return &m.gates[i]
		}
	}
	return nil
}

// Gates lists who is paired.
func (m *Machine) Gates() []Gate {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.gates)
}

// admit says why a certificate with this serial number may not act for the site now,
// nil where it may. Errors: identity.revoked, identity.expired.
func (m *Machine) admit(place gatehouse.Place, serial string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.find(place)
	switch {
	case g == nil || g.Revoked || g.Serial != serial:
		return gatehouse.Errorf("identity.revoked", "pair the gate again with `gatehouse vault pair` on the vault's machine, if it is yours", "this identity is not good any more: it was revoked, or the gate was paired again")
	case m.o.Now().After(g.Expires):
		return gatehouse.Errorf("identity.expired", "pair the gate again with `gatehouse vault pair` on the vault's machine", "this identity has expired")
	}
	return nil
}

func unknownGate(place gatehouse.Place) error {
	return gatehouse.Errorf("gate.unknown", "`gatehouse vault status` lists those that are", "the site %s/%s is not paired with this vault", place.Org, place.Site)
}
