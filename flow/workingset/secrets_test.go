package workingset

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestSecrets(t *testing.T) {
	d := &disk{gallery: map[gatehouse.SubjectID]int{}}
	load := func() *Set {
		s, err := Load(t.Context(), site, d, d, d)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, now := load(), time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	put := func(name string, value gatehouse.Secret, code string) {
		t.Helper()
		if err := s.PutSecret(t.Context(), name, value, now); gatehouse.ErrorCode(err) != code {
			t.Errorf("%q: %v, want %s", name, err, code)
		}
	}
	put("smtp", "hunter2", "")
	put("s3", "key", "")
	put("smtp", "hunter3", "") // replaced
	put("SMTP server", "x", "name.malformed")
	put("webhook", "", "secret.malformed")
	put("webhook", gatehouse.Secret(strings.Repeat("x", maxSecret+1)), "secret.malformed")
	items := len(d.items)

	for range 2 {
		if got, ok := s.Secret("smtp"); !ok || got.Reveal() != "hunter3" {
			t.Errorf("%v %v", ok, got)
		}
		if _, ok := s.Secret("webhook"); ok {
			t.Error("a secret that was refused is there")
		}
		if names := s.SecretNames(); len(names) != 2 || names[0].Name != "s3" || names[1].Name != "smtp" || !names[1].Set.Equal(now) {
			t.Errorf("%+v", names)
		}
		s = load() // after a restart
	}
	if err := s.RemoveSecret(t.Context(), "smtp"); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveSecret(t.Context(), "smtp"); gatehouse.ErrorCode(err) != "secret.unknown" {
		t.Error(err)
	}
	for range 2 {
		if _, ok := s.Secret("smtp"); ok || len(d.items) != items-1 {
			t.Error("a secret that was removed is there")
		}
		if _, ok := s.Secret("s3"); !ok {
			t.Error("another one went with it")
		}
		s = load()
	}
}
