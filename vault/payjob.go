package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// Pay is reckoned in the vault process: terms are opened there, and what comes of them leaves
// it sealed under the person's own chain. So a run shows nobody anything but whose pay could
// not be reckoned; that depends on their terms, and costs as much as a name in a list.
const methodPay = "pay" // header payRequest, attachments: proof, sealed terms; reply payReply, sealed payslips

type payRequest struct {
	Operator, Role, Reason string
	Job                    gatehouse.PayJob
}

type payReply struct{ Problems []string } // of each person the code of an error; "" with a payslip

// Payroll is what the vault process reckons pay with and makes files of. Its functions are
// pure, and their errors hold nothing personal.
type Payroll interface {
	// Slip is of somebody by their terms, in the order of p.Terms.
	Slip(job gatehouse.PayJob, p gatehouse.PaidHours, terms []gatehouse.PayTerms) (gatehouse.Payslip, error)
	CheckForm(f gatehouse.PayForm) error
	File(f gatehouse.PayForm, slips []gatehouse.PayRow) ([]byte, error)
}

// RunChildWith is RunChild for a site that reckons pay.
func RunChildWith(p Payroll) func(context.Context) error {
	return func(ctx context.Context) error { return runChild(ctx, nil, p) }
}

// purposePay is what a run's disclosures say; nothing is opened for it but terms, here.
const purposePay = "pay"

// payCost is what a call costs besides a unit for each person without a payslip.
const payCost = 1

func errNoPayroll() error {
	return gatehouse.Errorf("wages.none", "use a program of this version for both", "this vault process reckons no pay")
}

func (s *service) payHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodPay: s.handlePay}
}

func (s *service) handlePay(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in payRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	people := in.Job.People
	var refs []gatehouse.SealContext
	many := false
	for _, p := range people {
		many = many || len(p.Terms) == 0 || len(p.Terms) > gatehouse.MaxPayStretches
		for _, t := range p.Terms {
			refs = append(refs, gatehouse.PayTermsContext(in.Job.Place, t.ID))
		}
	}
	if len(people) == 0 || len(people) > gatehouse.MaxPayJob || many || len(r.Blobs) != len(refs)+1 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a job is of 1 to %d people, with the proof and their terms", gatehouse.MaxPayJob)
	}
	if s.payroll == nil {
		return nil, nil, errNoPayroll()
	}
	if err := checkDisclosure([]string{purposePay}, in.Operator, purposePay, in.Reason, len(refs)); err != nil {
		return nil, nil, err
	}
	if err := checkRole(in.Role); err != nil {
		return nil, nil, err
	}
	if err := s.guard.shut(); err != nil {
		return nil, nil, err
	}
	proof, sealed := r.Blobs[0], r.Blobs[1:]
	private, err := s.room.admit(in.Operator, proof)
	if err != nil {
		return nil, nil, err
	}
	baited, err := s.guard.baited(ctx, refs, sealed, false)
	if err != nil {
		return nil, nil, err
	}
	if baited {
		return nil, nil, s.guard.spring(ctx, trip{kind: "subject", operator: in.Operator, purpose: purposePay})
	}
	plain, err := s.openAll(ctx, private, refs, sealed)
	if err != nil {
		return nil, nil, err
	}
	slips, reply := s.reckon(in.Job, plain)
	now := time.Now()
	d := gatehouse.Disclosure{ID: gatehouse.NewID(now), At: now, Operator: in.Operator, Role: in.Role, Purpose: purposePay, Reason: in.Reason, Units: payCost}
	items, _ := priced(purposePay, refs, now)
	for _, it := range items {
		d.Items = append(d.Items, it.name)
	}
	for _, problem := range reply.Problems {
		if problem != "" {
			d.Units++
		}
	}
	// Nothing has left this process yet.
	if err := s.audit.disclose(ctx, d, nil); err != nil {
		return nil, nil, err
	}
	if s.afterLogging != nil {
		s.afterLogging()
	}
	out, err := s.sealPayslips(ctx, in.Job, slips)
	return reply, out, err
}

// reckon gives each person's payslip as it is sealed, nil with a problem.
func (s *service) reckon(job gatehouse.PayJob, plain [][]byte) (slips [][]byte, reply payReply) {
	slips, reply.Problems = make([][]byte, len(job.People)), make([]string, len(job.People))
	for i, p := range job.People {
		own := plain[:len(p.Terms)]
		plain = plain[len(p.Terms):]
		terms := make([]gatehouse.PayTerms, len(own))
		for k, text := range own {
			if text == nil || json.Unmarshal(text, &terms[k]) != nil {
				reply.Problems[i] = "wages.terms"
			}
			clear(text)
		}
		if reply.Problems[i] != "" {
			continue
		}
		slip, err := s.payroll.Slip(job, p, terms)
		if err != nil {
			if reply.Problems[i] = gatehouse.ErrorCode(err); reply.Problems[i] == "" {
				reply.Problems[i] = "wages.failed"
			}
			continue
		}
		slip.Subject = p.Subject
		text, err := json.Marshal(slip)
		room := slipRoom(job, p)
		if err != nil || len(text) > room {
			reply.Problems[i] = "wages.failed"
			continue
		}
		slips[i] = append(text, bytes.Repeat([]byte{' '}, room-len(text))...)
	}
	return slips, reply
}

// slipRoom is how long every payslip of such hours is made: a length that depended on
// what somebody is paid would say it. A line has at most a share for each part.
func slipRoom(job gatehouse.PayJob, p gatehouse.PaidHours) int {
	const head, terms, share, line = 1024, 300, 150, 300
	lines := len(job.Scheme)
	for _, part := range p.Parts {
		lines += len(part.Totals)
	}
	return head + (len(p.Terms)+1)*(terms+gatehouse.MaxPayShares*share) + lines*(line+len(p.Parts)*share)
}

// sealPayslips seals each under a new chain of its person and one of the day. The chains'
// states are in this process alone, and are forgotten.
func (s *service) sealPayslips(ctx context.Context, job gatehouse.PayJob, slips [][]byte) ([][]byte, error) {
	out := make([][]byte, len(slips))
	now, public := time.Now(), s.room.current()
	var rows []chainRow
	begin := func(row chainRow) (*chain, error) {
		row.Place, row.ID, row.Recipient, row.Created = job.Place, gatehouse.NewID(now), publicKeyName(public), now.UTC().Truncate(time.Millisecond)
		var seed [32]byte
		random(seed[:])
		defer clear(seed[:])
		if err := row.sealSeed(public, seed[:]); err != nil {
			return nil, unavailable(err)
		}
		rows = append(rows, row)
		return newChain(row.ID, seed[:]), nil
	}
	day, err := begin(chainRow{Kind: dayChain, Class: gatehouse.PayslipClass, Day: now.UTC().Format(time.DateOnly)})
	if err != nil {
		return nil, err
	}
	defer day.spend()
	for i, p := range job.People {
		if slips[i] == nil {
			out[i] = []byte{}
			continue
		}
		own, err := begin(chainRow{Kind: subjectChain, Subject: p.Subject})
		if err != nil {
			return nil, err
		}
		first, firstSecret, _ := own.take() // new chains have room for a job
		second, secondSecret, _ := day.take()
		own.spend()
		out[i] = sealEnvelope(gatehouse.PayslipContext(job.Place, p.Slip), []link{first, second}, [][32]byte{firstSecret, secondSecret}, slips[i], gatehouse.PadRecord)
		clear(slips[i])
	}
	return out, s.keys.append(ctx, rows)
}

// Pay has the vault reckon the pay of some people; sealed are their terms. It gives each
// one's payslip, sealed, or the code of why there is none: wages.terms where their terms are
// gone. The disclosure is written before. Errors: wages.none, vault.sealed, vault.forbidden,
// vault.budget, vault.canary, vault.reason.
func (v *Vault) Pay(ctx context.Context, operator, role, reason string, proof []byte, job gatehouse.PayJob, sealed [][]byte) (slips [][]byte, problems []string, err error) {
	var reply payReply
	slips, err = v.process.Call(ctx, methodPay, payRequest{Operator: operator, Role: role, Reason: reason, Job: job}, append([][]byte{proof}, sealed...), &reply)
	if err == nil && (len(slips) != len(job.People) || len(reply.Problems) != len(job.People)) {
		err = gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault process answered with %d payslips to %d", len(slips), len(job.People))
	}
	return slips, reply.Problems, err
}
