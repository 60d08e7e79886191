package vault

import (
	"testing"

	"gatehouse"
)

// Nothing is opened for "unseal": it is only what the log says of an unsealing.
func TestUnsealIsRecordedAndOpensNothing(t *testing.T) {
	for _, c := range []struct {
		allowed       []string
		purpose, code string
	}{
		{purposes, "live", ""}, {purposes, "unseal", "vault.purpose"}, {purposes, "", "vault.purpose"},
		{recorded, "live", ""}, {recorded, "unseal", ""}, {recorded, "other", "vault.purpose"},
	} {
		if err := checkDisclosure(c.allowed, "guard", c.purpose, "", 0); gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%q among %v: %v", c.purpose, c.allowed, err)
		}
	}
}
