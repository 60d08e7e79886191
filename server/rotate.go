package server

import (
	"context"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/rotate"
)

// openRotator makes what replaces the gate key, and goes on with a rotation that an
// earlier process was killed in.
func (s *Server) openRotator(context.Context) error {
	s.rotator = rotate.New(rotate.Ports{Key: s.gateKey, Store: s.store, Settle: func(ctx context.Context) error {
		if _, err := s.enroll.Resume(ctx); err != nil {
			return err
		}
		_, err := s.erase.Resume(ctx)
		return err
	}})
	var resumed sync.WaitGroup
	s.onClose(func(context.Context) error { s.rotator.Close(); resumed.Wait(); return nil })
	if s.gateKey.Rotating() {
		s.log.Info("the gate key's replacement was interrupted and goes on")
		resumed.Go(func() {
			for {
				p, err := s.rotator.Run(context.Background(), time.Minute)
				if err != nil {
					s.log.Error("the gate key could not be replaced yet; run `gatehouse keys rotate gate`", "error", err)
				}
				if err == nil && p.Stage == rotate.Finished {
					err = s.noteGateKey(context.Background())
				}
				if err != nil || p.Stage == rotate.Finished {
					return
				}
			}
		})
	}
	return nil
}

// currentItem gives a working-set item its form under the gate key of this moment.
func (s *Server) currentItem(w gatehouse.WorkingItem) ([]byte, error) {
	if !s.gateKey.Stale(w.Sealed) {
		return w.Sealed, nil
	}
	return s.gateKey.Reseal(w.Context(), w.Sealed)
}

// noteGateKey writes that the gate key is a new one into the audit log.
func (s *Server) noteGateKey(ctx context.Context) error {
	return s.vault.NoteKey(ctx, "gate key rotated", "gate")
}

// RotateGateKey implements api.GateKeyAdmin.
func (a admin) RotateGateKey(ctx context.Context) (wire.GateKeyRotation, error) {
	p, err := a.rotator.Run(ctx, time.Second)
	if err == nil && p.Stage == rotate.Finished {
		err = a.noteGateKey(context.WithoutCancel(ctx))
	}
	return wire.GateKeyRotation{Stage: string(p.Stage), Done: p.Done, All: p.All, Resumed: p.Resumed, Finished: p.Stage == rotate.Finished}, err
}
