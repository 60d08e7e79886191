package e2e

import (
	"strings"
	"testing"

	"gatehouse/api"
	"gatehouse/auth"
	"gatehouse/console/consoletest"
)

// policies is what each route asks for, written out a second time: TestWhoMayCallWhat
// takes it from the route itself, and would not see that a route asks for too little. The
// admin socket's are below.
const policies = `
GET /static/{name}                          public
GET /enter/{token}                          public
GET /signin                                 public
POST /signin/code                           public
POST /signin/passkey/begin                  public
POST /signin/passkey/finish                 public
GET /signin/oidc                            public
GET /signin/oidc/callback                   public
POST /api/v1/witness/add-checkpoint         public
GET /healthz                                public
POST /api/v1/devices/enrol                  public
GET /readyz                                 loopback
GET /metrics                                loopback
POST /api/v1/devices/{id}/frames            device
POST /api/v1/devices/{id}/credentials       device
GET /set-up                                 set-up
POST /set-up                                set-up
GET /{$}                                    permission see-live
GET /live/events                            permission see-live
GET /gates/{gate}/still                     permission see-live
GET /passages                               permission see-passages
GET /passages/{id}                          permission see-passages
GET /passages/{id}/pictures/{n}             permission disclose-passages
POST /passages/{id}/archive                 permission see-evidence, fresh
GET /passages/{id}/archive/{n}              permission see-evidence
GET /search                                 permission search, fresh
POST /search                                permission search, fresh
GET /people                                 permission see-people
GET /disclosures                            permission see-disclosures
POST /disclosures/reasons                    permission disclose-people, fresh
POST /vault/unseal                          permission unseal, fresh
POST /vault/seal                            permission seal
GET /api/v1/passages                        permission see-passages, or socket
POST /api/v1/search                         permission search, fresh
POST /leave                                 permission own-account
GET /again                                  permission own-account
POST /again/code                            permission own-account
POST /again/passkey/begin                   permission own-account
POST /again/passkey/finish                  permission own-account
GET /again/oidc                             permission own-account
GET /account                                permission own-account
POST /account/sessions/{id}/end             permission own-account
POST /account/credentials/{id}/remove       permission own-account, fresh
POST /account/passkeys/begin                permission own-account, fresh
POST /account/passkeys/finish               permission own-account, fresh
GET /account/code                           permission own-account, fresh
POST /account/code                          permission own-account, fresh
GET /{path...}                              permission own-account
GET /accounts                               permission accounts
POST /accounts                              permission accounts, fresh
GET /accounts/{id}                          permission accounts
POST /accounts/{id}/roles                   permission accounts, fresh
POST /accounts/{id}/invite                  permission accounts, fresh
POST /accounts/{id}/disable                 permission accounts, fresh
POST /accounts/{id}/enable                  permission accounts, fresh
POST /accounts/{id}/remove                  permission accounts, fresh
POST /accounts/{id}/credentials/{n}/remove  permission accounts, fresh
POST /accounts/{id}/sessions/{n}/end        permission accounts
GET /devices                                permission devices
POST /devices/code                          permission devices, fresh
POST /devices/camera                        permission devices, fresh
POST /devices/{id}/revoke                   permission devices, fresh
GET /settings                               permission settings
POST /settings                              permission settings, fresh
GET /settings/backup                        permission backups
POST /settings/backup                       permission backups, fresh
POST /settings/backup/stop                  permission backups, fresh
GET /audit                                  permission audit-log
GET /audit/proofs/{id}                      permission audit-log
GET /audit/checkpoint                       permission audit-log
GET /audit/verify                           permission audit-log
POST /audit/verify                          permission audit-log
POST /audit/verify/stop                     permission audit-log
GET /health                                 permission status
POST /health/look                           permission status
GET /health/history                         permission status
GET /privacy                                permission privacy
GET /privacy/consents                       permission privacy
POST /privacy/consents/{id}/withdraw        permission edit-records, fresh
GET /privacy/requests                       permission privacy
POST /privacy/requests                      permission privacy, fresh
GET /privacy/requests/{id}                  permission privacy
POST /privacy/requests/{id}/read            permission disclose-people, fresh
POST /privacy/requests/{id}/extend          permission privacy, fresh
POST /privacy/requests/{id}/answer          permission privacy, fresh
POST /privacy/held                          permission disclose-people, fresh
GET /privacy/held/{id}/photos/{n}           permission disclose-people
POST /privacy/held/file                     permission disclose-people, fresh
GET /privacy/retention                      permission privacy
GET /privacy/retention/run                  permission privacy
POST /privacy/retention/run                 permission privacy, fresh
POST /privacy/retention/stop                permission privacy, fresh
GET /privacy/holds                          permission hold
POST /privacy/holds                         permission hold, fresh
POST /privacy/holds/{id}/extend             permission hold, fresh
POST /privacy/holds/{id}/lift               permission hold, fresh
GET /privacy/releases                       permission approve-releases
POST /privacy/releases/{id}/file            permission approve-releases, fresh
GET /privacy/erasures                       permission erase
POST /privacy/erasures                      permission erase, fresh
GET /privacy/erasures/{id}                  permission erase
GET /privacy/erasures/{id}/certificate      permission erase`

func TestWhatEachRouteAsksFor(t *testing.T) {
	s := consoletest.New(nil, nil, nil, func(o *auth.Options) { o.OIDC = &auth.OIDC{Issuer: "https://login.example.org", ClientID: "x"} })
	defer s.Close()
	want := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(policies)) {
		pattern, policy, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[pattern] = strings.TrimSpace(policy)
	}
	for _, r := range append(s.Console.Routes(), api.New(api.Options{}).Routes()...) {
		expected, listed := want[r.Pattern]
		delete(want, r.Pattern)
		if _, path, _ := strings.Cut(r.Pattern, " "); strings.HasPrefix(path, "/admin/") {
			expected, listed = "socket", true
		}
		if !listed {
			t.Errorf("%s asks for %q and is not listed here", r.Pattern, r.Policy)
		} else if got := r.Policy.String(); got != expected {
			t.Errorf("%s asks for %q, not %q", r.Pattern, got, expected)
		}
	}
	for pattern := range want {
		t.Errorf("%s is gone", pattern)
	}
}
