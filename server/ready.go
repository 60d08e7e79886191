package server

import (
	"context"
	"os"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// readyWithin bounds what readiness may wait for.
const readyWithin = 3 * time.Second

// ready says whether passages can be decided and recorded now, and else why not. What
// it asks costs the same however much is stored: it is asked every few seconds.
func (s *Server) ready(ctx context.Context) (wire.Readiness, error) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	r := wire.Readiness{Status: "ready", Vision: "up", Vault: "answers"}
	if _, err := s.store.Devices(ctx, s.site.Place); err != nil {
		return r, err
	}
	if _, err := s.store.Passages(ctx, gatehouse.PassageQuery{Place: s.site.Place, Limit: 1}); err != nil {
		return r, err
	}
	if err := s.writable(); err != nil {
		return r, err
	}
	if _, err := s.vault.Status(ctx); err != nil {
		if away, _ := s.vault.Elsewhere(); !away {
			return r, err
		}
		r.Vault = "away"
	}
	if !s.hub.Faces() {
		r.Vision = "down"
	}
	return r, nil
}

// writable tries whether the data directory takes another file.
func (s *Server) writable() error {
	failed := func(err error) error {
		return gatehouse.Errorf("data.unwritable", "make room, and look at the disk", "the data directory takes nothing: %w", err)
	}
	f, err := os.CreateTemp(s.config.Data, ".ready-*")
	if err != nil {
		return failed(err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 4096))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return failed(err)
	}
	return nil
}
