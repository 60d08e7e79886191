package vault

import (
	"context"
	"crypto/sha256"

	"gatehouse"
	"gatehouse/internal/child"
)

// ReportStatement is what the audit log's key signs for a report of that digest. Its
// first line is no log's name and no other statement of the key, so a signature serves
// for reports alone.
func ReportStatement(digest [sha256.Size]byte) []byte {
	return append([]byte("gatehouse report v1\n"), digest[:]...)
}

func (s *service) handleAuditSign(_ context.Context, r *child.Request) (any, [][]byte, error) {
	if len(r.Blobs) != 1 || len(r.Blobs[0]) != sha256.Size {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a digest has 32 bytes")
	}
	s.audit.mu.Lock()
	key := s.audit.signer.key
	s.audit.mu.Unlock()
	signature, err := key.Sign(ReportStatement([sha256.Size]byte(r.Blobs[0])))
	return key.VerifierKey(), [][]byte{signature}, err
}

// SignReport signs the digest of a report about this installation (ReportStatement) with
// the audit log's key, sealed or not, and says which key that is: a line of audit.vkey.
func (v *Vault) SignReport(ctx context.Context, digest [sha256.Size]byte) (vkey string, signature []byte, err error) {
	blobs, err := v.process.Call(ctx, methodAuditSign, nil, [][]byte{digest[:]}, &vkey)
	if err == nil && len(blobs) != 1 {
		err = gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process gave no signature")
	}
	if err != nil {
		return "", nil, err
	}
	return vkey, blobs[0], nil
}
