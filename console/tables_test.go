package console_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// exempt are the tables that have no pages, order, filter or file, and why.
var exempt = map[string]string{
	"account.html": "somebody's own passkeys and sessions", "someone.html": "one account's passkeys and sessions", "audit.html": "newest first by its entries' numbers, with filters of kind and time, and a file",
	"books.html": "a span of days, with files of its own", "bookscompared.html": "one comparison", "booksstay.html": "one stay's entries", "budgets.html": "four limits and who used them",
	"held.html": "one person's data, with a file of its own", "hours_parts.html": "one timesheet",
	"import.html": "problems of one table, with a file of its own", "payslip.html": "one payslip", "punches.html": "problems of one file", "parking.html": "car parks of gatehouse.yml", "passage.html": "one passage",
	"people.html": "pages, order and filter of its own, and a file that is a disclosure", "performance.html": "teams, of which small ones are hidden", "periods.html": "periods, and files that take two people",
	"plan.html": "gates on one plan", "retention.html": "five kinds of data", "schedule.html": "one schedule", "search.html": "what was opened for one search: it leaves by a release only", "stay.html": "one stay's charge", "driver.html": "two months of one account, of which the driver has an invoice",
	"tariffs.html": "tariffs, whose files are the file", "changes.html": "a history with pages and a file",
}

// unsorted are the columns of listings that nobody would look for an order in: what a row
// consists of, its words for people, and what is done with it.
var unsorted = map[string][]string{
	"accounts.html": {"accounts.roles"}, "devices.html": {"devices.picture"}, "disclosures.html": {"disclosures.reason"}, "erasures.html": {"erasures.certificate"}, "alarms.html": {"disclosures.at", "alarms.what"}, // the open ones, all on the page
	"releases.html": {"releases.what"}, "rights.html": {"rights.holds"}, "rules.html": {"rules.gates", "rules.hours", "rules.special", "rules.holidays"}, "tokens.html": {"tokens.scopes", "tokens.gates"}, "webhooks.html": {"webhooks.kinds", "tokens.gates", "webhooks.last"},
}

// Every table pages, sorts, filters and exports, or says here why it does not.
func TestEveryTableIsAListing(t *testing.T) {
	files, err := filepath.Glob("templates/*.html")
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	listed := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, text := filepath.Base(file), string(b)
		_, may := exempt[name]
		switch is := regexp.MustCompile(`{{template "(leaf)?pager"`).MatchString(text); {
		case !strings.Contains(text, "<table") && may:
			t.Errorf("%s has no table any more", name)
		case is && may:
			t.Errorf("%s is a listing, and exempt", name)
		case is:
			listed++
			for _, m := range regexp.MustCompile(`<th scope="col"[^>]*>{{t "([^"]+)"}}</th>`).FindAllStringSubmatch(text, -1) {
				if !slices.Contains(unsorted[name], m[1]) {
					t.Errorf("%s cannot be sorted by %s", name, m[1])
				}
			}
		case strings.Contains(text, "<table") && !may:
			t.Errorf("%s has a table without pages and a file", name)
		}
	}
	if listed < 12 {
		t.Errorf("%d listings only", listed)
	}
}

var times = regexp.MustCompile(`class="lead"><time datetime="([^"]+)"`)

// A log is leafed through without a row lost or shown twice, narrowed by what and when, and
// exported with the same filter. The live window of who looks is a disclosure as well.
func TestALogIsLeafedThrough(t *testing.T) {
	s, g := open(t)
	first := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 130 {
		purpose := "person"
		if i%10 == 0 {
			purpose = "search"
		}
		s.Disclosed(first.Add(time.Duration(i)*time.Hour), fmt.Sprintf("site/op-%d", i%2), purpose)
	}
	leaf := func(path string) (seen []string) {
		for n := 0; path != "" && n < 9; n++ {
			_, body := g.get(path)
			for _, m := range times.FindAllStringSubmatch(body, -1) {
				seen = append(seen, m[1])
			}
			_, rest, more := strings.Cut(body, `<a rel="next" href="`)
			path, _, _ = strings.Cut(rest, `"`)
			if path = strings.ReplaceAll(path, "&amp;", "&"); !more {
				path = ""
			}
		}
		for i := 1; i < len(seen); i++ {
			if seen[i] >= seen[i-1] {
				t.Fatalf("%s stands behind %s", seen[i], seen[i-1])
			}
		}
		return seen
	}
	for path, want := range map[string]int{"/disclosures": 131, "/disclosures?purpose=search": 13, "/disclosures?q=OP-1": 65, "/disclosures?from=2026-03-02&to=2026-03-03": 48,
		"/disclosures?to=2026-03-01": 12, "/disclosures?from=2026-03-06": 23, "/disclosures?purpose=search&from=2026-03-02&to=2026-03-03": 4, "/disclosures?from=nonsense": 131, "/disclosures?q=nobody": 0} {
		if seen := leaf(path); len(seen) != want {
			t.Errorf("%s shows %d, not %d", path, len(seen), want)
		}
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		if _, file := g.get(path + sep + "format=csv"); strings.Count(file, "\n") != want+1 {
			t.Errorf("%s as a file has %d lines, not %d", path, strings.Count(file, "\n"), want+1)
		}
	}
	// In another order it has pages of its own, and the filter goes with it.
	_, body := g.get("/disclosures?sort=units&to=2026-03-06")
	if seen := times.FindAllStringSubmatch(body, -1); len(seen) != 50 || !strings.Contains(body, "/disclosures?page=2&amp;sort=units&amp;to=2026-03-06") || !strings.Contains(body, `aria-sort="ascending"`) {
		t.Errorf("by units the first page has %d rows, or no second page", len(seen))
	}
	if _, body = g.get("/disclosures?sort=at"); !strings.Contains(body, first.Format(time.RFC3339)[:13]) {
		t.Error("the oldest is not the first")
	}
	if code, _ := g.get("/disclosures?before=x"); code < 400 {
		t.Errorf("a cursor that is none: %d", code)
	}
}

// What the page does not put in order it says: another order is that of the newest rows,
// at the same cost however long the log gets.
func TestAnotherOrderIsThatOfTheNewest(t *testing.T) {
	s, g := open(t)
	first := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 2100 {
		s.Disclosed(first.Add(time.Duration(i)*time.Minute), "site/op", "person")
	}
	_, body := g.get("/disclosures?sort=at")
	if seen := times.FindAllStringSubmatch(body, -1); len(seen) != 50 || seen[0][1] <= first.Add(90*time.Minute).Format(time.RFC3339) || !strings.Contains(body, "newest 2000 rows") {
		t.Errorf("%d rows, the first of %v", len(seen), seen[:1])
	}
	if _, body = g.get("/disclosures?sort=at&to=2026-03-01"); strings.Contains(body, "newest 2000 rows") || !strings.Contains(body, first.Format(time.RFC3339)[:13]) {
		t.Error("a day that fits is not in order")
	}
	if _, file := g.get("/disclosures?format=csv&sort=at"); strings.Count(file, "\n") < 2101 {
		t.Errorf("the file has %d lines", strings.Count(file, "\n"))
	}
}

// An open alarm is on the first page however many were acknowledged since, and whatever
// the filter says; a file has it too.
func TestAnOpenAlarmIsAlwaysOnTop(t *testing.T) {
	s, g := open(t)
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	old := s.Raise(gatehouse.Alarm{At: day, Kind: gatehouse.GateAlarm, Gate: "front-door"})
	for i := range 60 {
		a := s.Raise(gatehouse.Alarm{At: day.Add(time.Duration(i+1) * time.Hour), Kind: gatehouse.TestAlarm})
		g.post("/alarms/"+a.ID.String()+"/acknowledge", nil)
	}
	for _, path := range []string{"/alarms", "/alarms?kind=test", "/alarms?from=2026-03-02"} {
		if _, body := g.get(path); !strings.Contains(body, "/alarms/"+old.ID.String()+"/acknowledge") {
			t.Errorf("%s does not show the open alarm", path)
		}
	}
	if _, file := g.get("/alarms?format=csv"); strings.Count(file, "\n") != 62 || !strings.Contains(file, ",gate,") {
		t.Errorf("the file has %d lines", strings.Count(file, "\n"))
	}
}

// Several tables of a page are arranged each for itself, and exported each for itself.
func TestTablesOfOnePageAreApart(t *testing.T) {
	_, g := open(t)
	for i := range 55 {
		g.post("/rules/groups", url.Values{"id": {fmt.Sprintf("g-%02d", i)}, "title": {fmt.Sprintf("Group %02d", i)}})
		if i < 2 {
			g.post("/rules/holidays", url.Values{"date": {fmt.Sprintf("2026-12-2%d", i)}, "title": {"Holiday"}})
		}
	}
	_, body := g.get("/rules?groups-page=2&groups-sort=-id")
	if !strings.Contains(body, "/rules/groups/g-00") || strings.Contains(body, "/rules/groups/g-54") || !strings.Contains(body, "2026-12-20") {
		t.Error("the second page of groups, and all holidays")
	}
	if _, body = g.get("/rules?q=g-1"); strings.Contains(body, "/rules/groups/g-20") || !strings.Contains(body, "/rules/groups/g-11") || strings.Contains(body, "2026-12-20") {
		t.Error("what is looked for is looked for in every table")
	}
	if _, file := g.get("/rules?holidays-format=csv"); strings.Count(file, "\n") != 3 || !strings.Contains(file, "2026-12-21,Holiday") {
		t.Errorf("the file of holidays: %q", file)
	}
	if _, file := g.get("/rules/changes?format=csv"); strings.Count(file, "\n") != 58 {
		t.Errorf("the file of changes has %d lines", strings.Count(file, "\n"))
	}
}

// A group's members are in the order of a column, page by page, and in a file.
func TestMembersAreListed(t *testing.T) {
	s, g := open(t)
	g.post("/rules/groups", url.Values{"id": {"many"}, "title": {"Many"}})
	ids := url.Values{}
	for i := range 60 {
		ids.Add("subject", s.Enrol(gatehouse.PersonSubject, fmt.Sprintf("Staff %02d", i), "Somebody", gatehouse.Active).String())
	}
	g.post("/rules/groups/many/members", ids)
	_, first := g.get("/rules/groups/many?sort=-label")
	_, second := g.get("/rules/groups/many?sort=-label&page=2")
	if !strings.Contains(first, ">Staff 59<") || strings.Contains(first, ">Staff 09<") || !strings.Contains(second, ">Staff 09<") || strings.Contains(second, ">Staff 59<") {
		t.Error("the last labels are not on the first page, or the first not on the second")
	}
	if _, file := g.get("/rules/groups/many?format=csv&sort=label"); strings.Count(file, "\n") != 61 || !strings.Contains(file, ",Staff 00,person,active\n") {
		t.Errorf("the file has %d lines", strings.Count(file, "\n"))
	}
}

// Accounts are found by login, role and state; a name is in no file.
func TestAccountsAreListed(t *testing.T) {
	_, g := open(t)
	for i := range 60 {
		role := "guard"
		if i%2 == 0 {
			role = "auditor"
		}
		g.post("/accounts", url.Values{"login": {fmt.Sprintf("user-%02d", i)}, "name": {"Secret Name"}, "role": {role}, "gates-guard": {"front-door"}})
	}
	count := func(path string) int { _, body := g.get(path); return strings.Count(body, `href="/accounts/`) }
	if n := count("/accounts"); n != 50 {
		t.Errorf("the first page has %d", n)
	}
	if n := count("/accounts?role=auditor&sort=-login"); n != 30 {
		t.Errorf("auditors: %d", n)
	}
	if n := count("/accounts?q=user-1"); n != 10 {
		t.Errorf("user-1…: %d", n)
	}
	_, file := g.get("/accounts?format=csv")
	if strings.Count(file, "\n") != 61 || strings.Contains(file, "Secret") || !strings.Contains(file, "user-07") {
		t.Errorf("the file: %d lines, or a name in it", strings.Count(file, "\n"))
	}
}
