package vault

import (
	"context"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

const methodNoise = "noise" // header noiseRequest; reply bool

type noiseRequest struct {
	Place gatehouse.Place
	Links []chainAt
}

// chainAt is what an envelope says of one of its chains.
type chainAt struct {
	Chain    gatehouse.ID
	Position uint16
}

// Noise reports whether nobody can open a sealed value any more, since a chain of it was
// erased or has expired and no hold keeps it. What is no sealed value is none, either.
// Errors: vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Noise(ctx context.Context, place gatehouse.Place, sealed []byte) (noise bool, err error) {
	e, bad := parseEnvelope(sealed)
	if bad != nil {
		return false, nil
	}
	request := noiseRequest{Place: place}
	for _, l := range e.links {
		request.Links = append(request.Links, chainAt{l.chain, l.position})
	}
	_, err = v.process.Call(ctx, methodNoise, request, nil, &noise)
	return noise, err
}

func (s *service) handleNoise(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in noiseRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(in.Links) > 2 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a sealed value has one chain or two")
	}
	for _, l := range in.Links {
		var there bool
		err := s.keys.db.Readers().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM chains WHERE org = ?1 AND site = ?2 AND id = ?3)
			OR EXISTS (SELECT 1 FROM held_chains WHERE org = ?1 AND site = ?2 AND id = ?3)
			OR EXISTS (SELECT 1 FROM held_items WHERE org = ?1 AND site = ?2 AND chain = ?3 AND position = ?4)`,
			string(in.Place.Org), string(in.Place.Site), l.Chain[:], int64(l.Position)).Scan(&there)
		if err != nil || !there {
			return err == nil, nil, sealeddb.Wrap(keyStoreFile, err)
		}
	}
	return false, nil, nil
}
