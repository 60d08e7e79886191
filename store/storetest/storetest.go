// Package storetest holds the one conformance suite that every storage engine
// passes: what the ports in the root package promise, as tests.
package storetest

import (
	"context"
	"testing"
	"time"

	"gatehouse"
)

// Engine is a store with every port, that can be closed and opened again.
type Engine interface {
	gatehouse.PassageStore
	gatehouse.LeafWriter
	gatehouse.SubjectStore
	gatehouse.WorkingStore
	gatehouse.ErasureStore
	gatehouse.ExpiryStore
	gatehouse.EscrowStore
	gatehouse.RuleStore
	gatehouse.AlarmStore
	gatehouse.ReplyStore
	gatehouse.PrivacyStore
	gatehouse.SettingStore
	gatehouse.PlanStore
	gatehouse.StayStore
	gatehouse.ParkingStore
	gatehouse.DeliveryStore
	gatehouse.HoursStore
	gatehouse.PayStore
	gatehouse.BookStore
	gatehouse.TryStore
	Close() error
}

// Run tests an engine. fresh makes an empty store and returns what opens it; it is
// called once a test, what it returns once more after each Close.
func Run(t *testing.T, fresh func(t *testing.T) (open func() Engine)) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *suite)
	}{
		{"passages come back as they were", testPassageRoundTrip},
		{"a passage is committed once", testPassageIdempotent},
		{"what cannot be a passage is refused", testPassageRefused},
		{"passages page newest first", testPassagePages},
		{"passages cross months", testPassageMonths},
		{"passages before a moment", testUntil},
		{"an outcome is set once", testOutcome},
		{"outcomes and reads of no passage", testNoPassage},
		{"passages are counted by their time", testCounts},
		{"many commit at once", testConcurrentCommits},
		{"a cancelled context tears nothing", testCancelled},
		{"leaves stand in the order of commit", testLeaves},
		{"a follower misses no leaf", testFollower},
		{"a leaf of its own", testWriteLeaf},
		{"passages of some gates", testWithin},
		{"passages by verdict and kind", testFilters},
		{"blobs that are referred to", testBlobReferences},
		{"a subject is enrolled and replaced", testSubject},
		{"subjects page by id", testSubjectPages},
		{"a status changes", testStatus},
		{"consents are kept and withdrawn", testConsents},
		{"devices", testDevices},
		{"intents outlive a restart", testIntents},
		{"the working set is put, replaced, deleted", testWorking},
		{"escrow is put, replaced, deleted", testEscrow},
		{"alarms stay until somebody acknowledges them", testAlarms},
		{"messages wait, are tried, listed and dropped", testDeliveries},
		{"replies are begun once, kept and dropped", testReplies},
		{"requests are opened, answered, and survive nobody", testRequests},
		{"every consent", testEachConsent},
		{"settings are changed and taken away", testSettings},
		{"floor plans", testPlans},
		{"stays are opened once, changed and found", testStays},
		{"exits wait for a person", testExits},
		{"stays forget who is erased", testStaysForget},
		{"tariffs, passes and what was used", testParkingData},
		{"events are booked once, or wait", testBooks},
		{"entries by number and time, and closed days", testBookPages},
		{"checkouts", testCheckouts},
		{"tries within an hour", testTries},
		{"orders of refunds", testRefundOrders},
		{"numbers of invoices", testInvoices},
		{"another place sees nothing", testPlaces},
		{"a rule book is changed step by step", testRules},
		{"a rule book forgets who is erased", testRulesForget},
		{"punches are added once, by month", testPunches},
		{"a book of hours is changed step by step", testHoursBook},
		{"corrections, leave and periods", testTimeRequests},
		{"payroll exports wait for a second person", testPayExports},
		{"swaps of shifts", testSwaps},
		{"pay terms, runs and payslips", testPay},
		{"hours forget who is erased", testHoursForget},
		{"a subject is replaced everywhere", testReplaceSubject},
		{"what was on its way is replaced too", testReplaceOnItsWay},
		{"content is dropped by kind and time", testDropContent},
		{"a month is dropped when it was followed", testDropMonth},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &suite{T: t, open: fresh(t)}
			s.Engine = s.open()
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			c.test(t, s)
		})
	}
}

// suite is an open engine and its test.
type suite struct {
	*testing.T
	Engine
	open func() Engine
}

func (s *suite) reopen() {
	s.Helper()
	if err := s.Close(); err != nil {
		s.Fatal(err)
	}
	s.Engine = s.open()
}

func (s *suite) ctx() context.Context { return s.Context() }

func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) wantCode(err error, code string) {
	s.Helper()
	if gatehouse.ErrorCode(err) != code {
		s.Errorf("got error %v, want %s", err, code)
	}
}

var (
	here  = gatehouse.Place{Org: "acme", Site: "north"}
	there = gatehouse.Place{Org: "acme", Site: "south"}
	other = gatehouse.Place{Org: "zenith", Site: "north"}
	noon  = time.Date(2026, 11, 20, 12, 0, 0, 123456000, time.UTC)
)

// newCommit is a granted passage at a door, made at t.
func newCommit(place gatehouse.Place, t time.Time) gatehouse.PassageCommit {
	p := gatehouse.Passage{
		Place: place, ID: gatehouse.NewID(t), Gate: "front-door", Device: "camera-1", Direction: gatehouse.In, At: t,
		Kind: gatehouse.FaceReading, Subject: gatehouse.RandomID(), Known: true, Frames: 7,
		Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted, Rule: "grant staff at front-door in always"},
		Latency:  41 * time.Millisecond, Outcome: gatehouse.Pending,
	}
	return sealed(p)
}

// sealed gives a passage content, evidence and the leaf that commits to them.
func sealed(p gatehouse.Passage) gatehouse.PassageCommit {
	c := gatehouse.PassageCommit{Passage: p, Detail: noise(4096), Evidence: []gatehouse.Evidence{
		{Blob: gatehouse.RandomID(), Kind: gatehouse.CropEvidence, Digest: [32]byte(noise(32))},
		{Blob: gatehouse.RandomID(), Kind: gatehouse.FrameEvidence, Digest: [32]byte(noise(32))},
	}}
	c.Leaf = gatehouse.PassageLeaf(c.Passage, c.Detail, c.Evidence)
	return c
}

func denied(c gatehouse.PassageCommit, reason gatehouse.Reason) gatehouse.PassageCommit {
	c.Passage.Decision = gatehouse.Decision{Reason: reason, Rule: "deny"}
	c.Passage.Outcome = gatehouse.NoAction
	return c
}

// noise stands for sealed content.
func noise(n int) []byte {
	b := make([]byte, 0, n+16)
	for len(b) < n {
		id := gatehouse.RandomID()
		b = append(b, id[:]...)
	}
	return b[:n]
}

func (s *suite) commit(c gatehouse.PassageCommit) gatehouse.PassageCommit {
	s.Helper()
	s.must(s.CommitPassage(s.ctx(), c))
	return c
}

type storedLeaf struct {
	position uint64
	leaf     string
}

func (s *suite) leaves(after uint64) (all []storedLeaf) {
	s.Helper()
	s.must(s.Leaves(s.ctx(), after, func(position uint64, leaf []byte) error {
		all = append(all, storedLeaf{position, string(leaf)})
		return nil
	}))
	for i := range all {
		if all[i].position <= after || i > 0 && all[i].position <= all[i-1].position {
			s.Fatalf("position %d stands wrong behind %d", all[i].position, after)
		}
	}
	return all
}
