package approval

import (
	"testing"

	"gatehouse"
)

const quick = minWork

func TestSignaturesAreForOneMatterOnly(t *testing.T) {
	words := []byte("four words of ana")
	ana, err := New("ana-7", words, quick)
	if err != nil || ana.Check() != nil {
		t.Fatal(err)
	}
	ben, err := New("ben-2", []byte("four words of ben"), quick)
	if err != nil {
		t.Fatal(err)
	}
	id := gatehouse.RandomID()
	sig, err := ana.Sign(words, LiftCanary, "vault-1", id, []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	if !ana.Verify(sig, LiftCanary, "vault-1", id, []byte("body")) {
		t.Fatal("the signature does not verify")
	}
	renamed := ana
	renamed.Name = "ana-8"
	for name, ok := range map[string]bool{
		"another operator": ben.Verify(sig, LiftCanary, "vault-1", id, []byte("body")),
		"another name":     renamed.Verify(sig, LiftCanary, "vault-1", id, []byte("body")),
		"another act":      ana.Verify(sig, ApproveRelease, "vault-1", id, []byte("body")),
		"another vault":    ana.Verify(sig, LiftCanary, "vault-2", id, []byte("body")),
		"another matter":   ana.Verify(sig, LiftCanary, "vault-1", gatehouse.RandomID(), []byte("body")),
		"another body":     ana.Verify(sig, LiftCanary, "vault-1", id, []byte("bodz")),
		"nothing":          ana.Verify(nil, LiftCanary, "vault-1", id, []byte("body")),
		"no key":           Operator{Name: "ana-7"}.Verify(sig, LiftCanary, "vault-1", id, []byte("body")),
	} {
		if ok {
			t.Errorf("%s: it verifies", name)
		}
	}
	if _, err := ana.Sign([]byte("four words of ben"), LiftCanary, "vault-1", id, nil); gatehouse.ErrorCode(err) != "operator.passphrase" {
		t.Errorf("a wrong passphrase: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for code, f := range map[string]func() error{
		"operator.name":             func() error { _, err := New("Ana Silva", []byte("four words of ana"), quick); return err },
		"operator.passphrase_short": func() error { _, err := New("ana-7", []byte("short"), quick); return err },
		"operator.malformed":        func() error { _, err := New("ana-7", []byte("four words of ana"), 40); return err },
	} {
		if err := f(); gatehouse.ErrorCode(err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := (Operator{Name: "a"}).Check(); gatehouse.ErrorCode(err) != "operator.malformed" {
		t.Error(err)
	}
}
