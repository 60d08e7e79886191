package e2e

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/api"
	"gatehouse/auth"
	"gatehouse/console/consoletest"
	"gatehouse/parkingpages"
	"gatehouse/terminal"
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
GET /api/v1/openapi.json                    public
GET /api/v1/docs                            public
GET /api/v1/docs.css                        public
GET /readyz                                 loopback
GET /metrics                                loopback
POST /api/v1/devices/{id}/frames            device
POST /api/v1/devices/{id}/credentials       device
POST /api/v1/devices/{id}/looks             device
GET /api/v1/devices/{id}/terminal           device
GET /terminal                               public
GET /terminal/{name}                        public
GET /pay                                    public
POST /pay                                   public
GET /pay/static/{name}                      public
GET /pay/stay/{key}                         public
POST /pay/stay/{key}/code                   public
GET /pay/account                            public
POST /pay/account                           public
POST /pay/account/leave                     public
POST /pay/account/passes/{id}/renew         public
POST /pay/account/passes/{id}/top-up        public
GET /pay/account/receipts                   public
POST /pay/account/receipts/invoice          public
GET /pay/screen                             public
POST /pay/screen                            public
POST /pay/ticket                            public
POST /pay/ticket/show                       public
POST /pay/help                              public
GET /pay/shop                               public
POST /pay/shop                              public
POST /pay/shop/codes                        public
POST /pay/shop/leave                        public
POST /pay/stay/{key}/pay                    public
GET /pay/receipt/{id}                       public
GET /pay/receipt/{id}/pdf                   public
GET /pay/kiosk                              public
GET /pay/qr.svg                             public
POST /pay/{provider}/webhook                public
GET /set-up                                 set-up
POST /set-up                                set-up
GET /{$}                                    permission see-live
GET /live/events                            permission see-live
GET /gates/{gate}/still                     permission see-live
GET /passages                               permission see-passages
GET /traffic                                permission see-passages
GET /traffic/counts                         permission see-passages
GET /passages/{id}                          permission see-passages
GET /passages/{id}/pictures/{n}             permission disclose-passages
POST /passages/{id}/archive                 permission see-evidence, fresh
GET /passages/{id}/archive/{n}              permission see-evidence
GET /search                                 permission search, fresh
POST /search                                permission search, fresh
GET /people                                 permission see-people
POST /people/filter                         permission see-people
GET /people/export                          permission see-people
GET /people/new                             permission enrol
POST /people/new                            permission enrol
GET /vehicles/new                           permission enrol
POST /vehicles/new                          permission enrol
GET /enrolments/{id}/who                    permission enrol
POST /enrolments/{id}/who                   permission enrol
GET /enrolments/{id}/consent                permission enrol
POST /enrolments/{id}/consent               permission enrol
GET /enrolments/{id}/photos                 permission enrol
POST /enrolments/{id}/photos                permission enrol
GET /enrolments/{id}/photos/{n}             permission enrol
POST /enrolments/{id}/photos/{n}/remove     permission enrol
POST /enrolments/{id}/twin                  permission enrol
GET /enrolments/{id}/cards                  permission enrol
POST /enrolments/{id}/cards                 permission enrol
GET /enrolments/{id}/access                 permission enrol
POST /enrolments/{id}/access                permission enrol
GET /enrolments/{id}/review                 permission enrol
POST /enrolments/{id}/review                permission enrol
POST /enrolments/{id}/discard               permission enrol
GET /people/{id}                            permission see-people
POST /people/{id}/suspend                   permission suspend
POST /people/{id}/reinstate                 permission suspend
POST /people/{id}/access                    permission enrol
POST /people/{id}/credential                permission enrol
POST /people/{id}/consent                   permission edit-records
POST /people/{id}/face                      permission enrol
POST /people/{id}/photos                    permission disclose-people, fresh
GET /people/{id}/photos/{n}                 permission disclose-people
POST /people/{id}/record                    permission disclose-people, fresh
POST /people/{id}/correct                   permission edit-records, fresh
GET /people/{id}/erase                      permission erase, fresh
POST /people/{id}/erase                     permission erase, fresh
GET /erasures/{id}                          permission erase
POST /erasures/{id}/stop                    permission erase
GET /people/import                          permission enrol
POST /people/import                         permission enrol
GET /people/import/template                 permission enrol
GET /imports/{id}                           permission enrol
GET /imports/{id}/problems                  permission enrol
POST /imports/{id}/start                    permission enrol
POST /imports/{id}/stop                     permission enrol
POST /imports/{id}/drop                     permission enrol
GET /disclosures                            permission see-disclosures
POST /disclosures/reasons                    permission disclose-people, fresh
POST /vault/unseal                          permission unseal, fresh
POST /vault/seal                            permission seal
GET /api/v1/passages                        permission see-passages, or token, or socket
GET /api/v1/passages/{id}                   permission see-passages, or token, or socket
GET /api/v1/events                          permission see-passages, or token
GET /api/v1/gates                           permission see-passages, or token
GET /api/v1/gates/{gate}                    permission see-passages, or token
GET /api/v1/parking                         permission see-parking, or token, or socket
GET /api/v1/parking/stays                   permission see-parking, or token, or socket
GET /api/v1/parking/stays/{id}              permission see-parking, or token, or socket
POST /api/v1/parking/stays/{id}/plate       permission handle-stays, or token, or socket
POST /api/v1/parking/stays/{id}/lost-ticket  permission handle-stays, or token, or socket
POST /api/v1/parking/stays/{id}/end         permission handle-stays, or token, or socket
POST /api/v1/parking/stays/{id}/validations  permission handle-stays, or token, or socket
GET /api/v1/parking/exits                   permission see-parking, or token, or socket
GET /api/v1/parking/exits/{id}/candidates   permission see-parking, or token, or socket
POST /api/v1/parking/exits/{id}/attach      permission handle-stays, or token, or socket
POST /api/v1/parking/exits/{id}/dismiss     permission handle-stays, or token, or socket
POST /api/v1/parking/tickets                permission handle-stays, or token, or socket
PUT /api/v1/parking/counts                  permission handle-stays, or token, or socket
GET /api/v1/parking/tariffs                 permission see-parking, or token, or socket
GET /api/v1/parking/tariffs/{name}          permission see-parking, or token, or socket
PUT /api/v1/parking/tariffs                 permission parking, or token, or socket
GET /api/v1/parking/rights                  permission parking, or token, or socket
GET /api/v1/parking/accounts                permission parking, or token, or socket
POST /api/v1/parking/accounts               permission parking, or token, or socket
POST /api/v1/parking/accounts/{id}/vehicles  permission parking, or token, or socket
PUT /api/v1/parking/accounts/{id}/invoice   permission parking, or token, or socket
POST /api/v1/parking/accounts/{id}/link     permission parking, or token, or socket
POST /api/v1/parking/orders                 permission parking, or token, or socket
POST /api/v1/parking/passes/{id}/give-backs  permission books, fresh, or socket
GET /api/v1/parking/kiosks                  permission parking, or token, or socket
POST /api/v1/parking/kiosks                 permission parking, or token, or socket
GET /api/v1/parking/shops                   permission parking, or token, or socket
POST /api/v1/parking/shops                  permission parking, or token, or socket
POST /api/v1/parking/shops/{id}/link        permission parking, or token, or socket
DELETE /api/v1/parking/rights/{kind}/{id}   permission parking, or token, or socket
POST /api/v1/parking/passes                 permission parking, or token, or socket
POST /api/v1/parking/reservations           permission parking, or token, or socket
PUT /api/v1/parking/quotas                  permission parking, or token, or socket
POST /api/v1/parking/denied                 permission parking, or token, or socket
GET /api/v1/subjects                        permission see-people, or token
GET /api/v1/subjects/{id}                   permission see-people, or token
POST /api/v1/people                         permission enrol, or token
POST /api/v1/vehicles                       permission enrol, or token
PUT /api/v1/subjects/{id}/status            permission suspend, or token
DELETE /api/v1/subjects/{id}/consent        permission edit-records, or token
POST /api/v1/erasures                       permission erase, fresh, or token
GET /api/v1/erasures/{id}                   permission erase, or token
GET /api/v1/devices                         permission devices, or token
POST /api/v1/devices/codes                  permission devices, fresh, or token
DELETE /api/v1/devices/{id}                 permission devices, fresh, or token
GET /api/v1/disclosures                     permission see-disclosures, or token
GET /api/v1/health                          permission status, or token
GET /api/v1/parking/books/report            permission see-books, or token
GET /api/v1/parking/books/entries           permission see-books, or token
POST /api/v1/parking/books/closings         permission books, fresh
POST /api/v1/parking/books/reconciliations  permission books, fresh
POST /api/v1/parking/books/payments         permission books, fresh
POST /api/v1/parking/books/refunds          permission books, fresh
POST /api/v1/parking/books/write-offs       permission books, fresh
POST /api/v1/search                         permission search, fresh
GET /api/v1/attendance/plans                permission see-hours, or token, or socket
GET /api/v1/attendance/changes              permission see-hours, or token, or socket
POST /api/v1/attendance/plans               permission plan-hours, or token, or socket
DELETE /api/v1/attendance/plans/{id}        permission plan-hours, or token, or socket
GET /api/v1/attendance/people               permission see-hours, or token, or socket
GET /api/v1/attendance/people/{id}          permission see-hours, or token, or socket
GET /api/v1/attendance/people/{id}/differences  permission see-hours, or token, or socket
GET /api/v1/attendance/people/{id}/balances  permission see-hours, or token, or socket
POST /api/v1/attendance/punches             permission decide-hours, or socket
POST /api/v1/attendance/import              permission decide-hours, or socket
GET /api/v1/attendance/corrections          permission see-hours, or token, or socket
POST /api/v1/attendance/corrections         permission decide-hours, or socket
POST /api/v1/attendance/corrections/{id}/decision  permission decide-hours, or socket
GET /api/v1/attendance/leave                permission see-hours, or token, or socket
POST /api/v1/attendance/leave               permission decide-hours, or socket
POST /api/v1/attendance/leave/{id}/decision  permission decide-hours, or socket
GET /api/v1/attendance/periods              permission see-hours, or token, or socket
POST /api/v1/attendance/periods/close       permission pay-periods, fresh, or socket
POST /api/v1/attendance/periods/lock        permission pay-periods, fresh, or socket
POST /api/v1/attendance/periods/reopen      permission pay-periods, fresh, or socket
GET /api/v1/attendance/exports              permission pay-periods, or socket
POST /api/v1/attendance/exports             permission pay-periods, fresh, or socket
POST /api/v1/attendance/exports/{id}/approve  permission pay-periods, fresh, or socket
POST /api/v1/attendance/exports/{id}/file   permission pay-periods, fresh, or socket
GET /api/v1/attendance/people/{id}/pay      permission pay-periods, or socket
POST /api/v1/attendance/people/{id}/pay     permission pay-periods, fresh, or socket
DELETE /api/v1/attendance/people/{id}/pay/{terms}  permission pay-periods, fresh, or socket
POST /api/v1/attendance/people/{id}/pay/{terms}/open  permission pay-periods, fresh, or socket
POST /api/v1/attendance/people/{id}/payslips/{slip}/open  permission pay-periods, fresh, or socket
GET /api/v1/attendance/pay                  permission pay-periods, or socket
POST /api/v1/attendance/pay                 permission pay-periods, fresh, or socket
POST /api/v1/attendance/pay/{id}/approve    permission pay-periods, fresh, or socket
POST /api/v1/attendance/pay/{id}/reckon     permission pay-periods, fresh, or socket
GET /api/v1/attendance/pay/{id}/problems    permission pay-periods, or socket
GET /api/v1/attendance/own/payslips         permission own-hours
POST /api/v1/attendance/own/payslips/{slip}/open  permission own-hours, fresh
POST /hours/periods/exports                 permission pay-periods, fresh
POST /hours/periods/exports/{id}/approve    permission pay-periods, fresh
POST /hours/periods/exports/{id}/file       permission pay-periods, fresh
GET /api/v1/attendance/performance          permission see-hours, or token, or socket
GET /api/v1/attendance/own                  permission own-hours
GET /api/v1/attendance/swaps                permission see-hours, or token, or socket
POST /api/v1/attendance/swaps/{id}/decision  permission decide-hours, or socket
GET /api/v1/attendance/own/swaps            permission own-hours
POST /api/v1/attendance/own/swaps           permission own-hours
POST /api/v1/attendance/own/swaps/{id}/answer  permission own-hours
POST /hours/own/swaps                       permission own-hours
POST /hours/own/swaps/{id}                  permission own-hours
POST /hours/swaps/{id}/decide               permission decide-hours
GET /api/v1/attendance/own/looks            permission own-hours
POST /api/v1/attendance/own/punches         permission own-hours
POST /api/v1/attendance/own/corrections     permission own-hours
POST /api/v1/attendance/own/leave           permission own-hours
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
GET /tokens                                 permission programs
POST /tokens                                permission programs, fresh
POST /tokens/{id}/revoke                    permission programs, fresh
GET /webhooks                               permission programs
POST /webhooks                              permission programs, fresh
GET /webhooks/{id}                          permission programs
POST /webhooks/{id}/pause                   permission programs, fresh
POST /webhooks/{id}/resume                  permission programs, fresh
POST /webhooks/{id}/remove                  permission programs, fresh
POST /webhooks/{id}/test                    permission programs, fresh
POST /webhooks/{id}/replay                  permission programs, fresh
POST /webhooks/{id}/messages/{n}/replay     permission programs, fresh
GET /live/wall                              permission see-live
POST /find                                  permission own-account
GET /alarms                                 permission alarms
POST /alarms/{id}/acknowledge               permission alarms
GET /gates                                  permission see-live
GET /gates/{gate}                           permission see-live
POST /gates/{gate}/open                     permission open-remotely, fresh
GET /plans/{id}/picture                     permission see-live
GET /plans/{id}                             permission gates
POST /plans                                 permission gates, fresh
POST /plans/{id}                            permission gates, fresh
POST /plans/{id}/remove                     permission gates, fresh
GET /rules                                  permission rules
GET /rules/changes                          permission rules
GET /rules/groups/{id}                      permission rules
GET /rules/grants/{id}                      permission rules
GET /rules/schedules/{id}                   permission rules
GET /rules/why                              permission see-people
POST /rules/why                             permission see-people
POST /rules/groups/{id}/find                permission rules
GET /passages/{id}/why                      permission see-passages
POST /rules/groups                          permission rules, fresh
POST /rules/groups/{id}/members             permission rules, fresh
POST /rules/groups/{id}/remove              permission rules, fresh
POST /rules/grants                          permission rules, fresh
POST /rules/grants/{id}/remove              permission rules, fresh
POST /rules/schedules                       permission rules, fresh
POST /rules/schedules/{id}/remove           permission rules, fresh
POST /rules/holidays                        permission rules, fresh
POST /rules/holidays/{id}/remove            permission rules, fresh
GET /parking                                permission see-parking
GET /parking/occupancy                      permission see-parking
GET /parking/occupancy/hours                permission see-parking
GET /parking/stays                          permission see-parking
GET /parking/stays/{id}                     permission see-parking
POST /parking/stays/{id}/plate              permission handle-stays
POST /parking/stays/{id}/lost               permission handle-stays
POST /parking/stays/{id}/end                permission handle-stays
GET /parking/unpaid                         permission see-parking
GET /parking/unpaid/{id}                    permission handle-stays
POST /parking/unpaid/{id}                   permission handle-stays
GET /parking/exits                          permission see-parking
GET /parking/exits/{id}                     permission see-parking
POST /parking/exits/{id}/attach             permission handle-stays
POST /parking/exits/{id}/dismiss            permission handle-stays
POST /parking/count                         permission handle-stays
GET /parking/tariffs                        permission see-parking
GET /parking/tariffs/{name}/chart           permission see-parking
GET /parking/tariffs/form                   permission parking
POST /parking/tariffs/form/trial            permission parking
POST /parking/tariffs/form                  permission parking, fresh
POST /parking/tariffs                       permission parking, fresh
GET /parking/rights                         permission parking
POST /parking/rights/{kind}/{id}/remove     permission parking, fresh
POST /parking/passes                        permission parking, fresh
POST /parking/orders                        permission parking, fresh
POST /parking/reservations                  permission parking, fresh
POST /parking/quotas                        permission parking, fresh
POST /parking/denied                        permission parking, fresh
GET /parking/drivers                        permission parking
GET /parking/kiosks                         permission parking
POST /parking/kiosks                        permission parking, fresh
POST /parking/kiosks/{id}/remove            permission parking, fresh
GET /parking/drivers/{id}                   permission parking
POST /parking/drivers                       permission parking, fresh
POST /parking/drivers/{id}/link             permission parking, fresh
POST /parking/drivers/{id}/invoice          permission parking, fresh
POST /parking/drivers/{id}/vehicles         permission parking, fresh
POST /parking/drivers/{id}/remove           permission parking, fresh
POST /parking/drivers/{id}/buyer            permission disclose-people, fresh
GET /parking/shops                          permission parking
POST /parking/shops                         permission parking, fresh
POST /parking/shops/{id}/link               permission parking, fresh
POST /parking/shops/{id}/remove             permission parking, fresh
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
GET /books                                  permission see-books
GET /books/export                           permission see-books
GET /books/stays/{id}                       permission see-books
POST /books/close                           permission books, fresh
POST /books/reconcile                       permission books, fresh
POST /books/stays/{id}/refund               permission books, fresh
POST /books/stays/{id}/write-off            permission books, fresh
POST /books/stays/{id}/take                 permission books, fresh
POST /health/look                           permission status
GET /health/history                         permission status
GET /hours/own                              permission own-hours
GET /hours/own/looks                        permission own-hours
POST /hours/own/punch                       permission own-hours
POST /hours/own/corrections                 permission own-hours
POST /hours/own/leave                       permission own-hours
POST /hours/own/withdraw                    permission own-hours
GET /hours                                  permission see-hours
GET /hours/people/{id}                      permission see-hours
POST /hours/people/{id}/punch               permission decide-hours
POST /hours/people/{id}/corrections         permission decide-hours
POST /hours/corrections/{id}/decide         permission decide-hours
POST /hours/leave/{id}/decide               permission decide-hours
POST /hours/corrections/{id}/reason         permission decide-hours
POST /hours/leave/{id}/reason               permission decide-hours
GET /hours/plans                            permission plan-hours
POST /hours/plans                           permission plan-hours, fresh
POST /hours/plans/remove                    permission plan-hours, fresh
GET /hours/periods                          permission pay-periods
POST /hours/periods                         permission pay-periods, fresh
POST /hours/own/payslips/{slip}             permission own-hours, fresh
GET /hours/pay/{id}                         permission pay-periods
POST /hours/pay/{id}                        permission pay-periods, fresh
POST /hours/pay/{id}/terms/{terms}          permission pay-periods, fresh
POST /hours/pay/{id}/payslips/{slip}        permission pay-periods, fresh
POST /hours/periods/pay                     permission pay-periods, fresh
POST /hours/periods/pay/{id}                permission pay-periods, fresh
GET /hours/import                           permission decide-hours
POST /hours/import                          permission decide-hours
GET /hours/performance                      permission see-hours
GET /hours/performance/days                 permission see-hours
GET /privacy                                permission privacy
GET /privacy/consents                       permission privacy
POST /privacy/consents/{id}/withdraw        permission edit-records, fresh
GET /privacy/requests                       permission privacy
POST /privacy/requests                      permission privacy, fresh
GET /privacy/requests/{id}                  permission privacy
POST /privacy/requests/{id}/read            permission disclose-people, fresh
POST /privacy/requests/{id}/extend          permission privacy, fresh
POST /privacy/requests/{id}/answer          permission privacy, fresh
GET /privacy/requests/{id}/letter           permission privacy
POST /privacy/requests/{id}/letter          permission disclose-people, fresh
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
GET /privacy/releases/{id}/file             permission approve-releases
POST /privacy/releases/{id}/file/stop       permission approve-releases
GET /privacy/releases/new                   permission request-releases
POST /privacy/releases/plan                 permission request-releases
GET /privacy/releases/{id}                  permission approve-releases
GET /privacy/budgets                        permission budget
POST /privacy/budgets                       permission budget, fresh
GET /privacy/canaries                       permission canaries
POST /privacy/canaries                      permission canaries, fresh
POST /privacy/canaries/list                 permission canaries, fresh
POST /privacy/canaries/spare                permission canaries, fresh
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
	for _, r := range slices.Concat(s.Console.Routes(), terminal.New(terminal.Options{}).Routes(), parkingpages.New(parkingpages.Options{}).Routes(), api.New(api.Options{}).Routes()) {
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
