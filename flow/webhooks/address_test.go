package webhooks

import (
	"net/netip"
	"testing"

	"gatehouse"
)

// An address that says itself that it leads to this machine or a private network is refused
// when it is entered, in each form in which some program reads it so.
func TestAddressesThatLeadInside(t *testing.T) {
	w := &Webhooks{Ports: Ports{Public: func(a netip.Addr) bool { a = a.Unmap(); return a.Zone() == "" && !a.IsLoopback() && !a.IsPrivate() }}}
	for url, want := range map[string]string{
		"https://hooks.example/gatehouse?x=1": "", "https://8.8.8.8/": "", "https://[2a00:1450::1]:8443/x": "", "https://10.example/": "", "https://x86/": "",
		"https://127.0.0.1/": "webhook.private", "https://127.0.0.1.:8443/": "webhook.private", "https://[::1]/": "webhook.private", "https://[::ffff:10.0.0.1]/": "webhook.private",
		"https://[fe80::1%25eth0]/": "webhook.private", "https://192.168.1.4/": "webhook.private", "https://localhost/": "webhook.private", "https://LOCALHOST.:1/": "webhook.private", "https://a.localhost/": "webhook.private",
		"https://2130706433/": "webhook.address", "https://127.1/": "webhook.address", "https://0x7f000001/": "webhook.address", "https://0x7f.0.0.0x1/": "webhook.address", "https://0177.0.0.1/": "webhook.address", "https://127.0.0.0x/": "webhook.address",
		"http://8.8.8.8/": "webhook.address", "https://u:p@8.8.8.8/": "webhook.address", "https:///x": "webhook.address", "": "webhook.address",
	} {
		if got := gatehouse.ErrorCode(w.checkURL(url, false)); got != want {
			t.Errorf("%q: %q, not %q", url, got, want)
		}
	}
	for _, url := range []string{"http://127.0.0.1:8080/", "https://localhost/", "https://[::1]/"} {
		if err := w.checkURL(url, true); err != nil {
			t.Errorf("%s, where an operator said so: %v", url, err)
		}
	}
}

func TestBehindAnID(t *testing.T) {
	id := gatehouse.ID{15: 0xff}
	if got := behind(id); got != (gatehouse.ID{14: 1}) {
		t.Errorf("behind %s comes %s", id, got)
	}
	for i := range id {
		id[i] = 0xff
	}
	if got := behind(id); !got.IsZero() {
		t.Errorf("behind the greatest comes %s", got)
	}
}
