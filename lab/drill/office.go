package drill

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/vault/approval"
	"gatehouse/vault/budget"

	"filippo.io/age"
)

// administer does with the copy what operators do with a site, so that all that they
// write is there to be stolen: secrets, legal holds, bulk releases, searches.
func (d *drill) administer(ctx context.Context) error {
	d.say("working with the copy as its operators")
	if err := d.setSecrets(ctx); err != nil {
		return err
	}
	if !d.unsealed {
		return nil
	}
	// What is opened below must not end with a budget: it is the sealing that is tried.
	most := wire.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit}
	if _, err := d.desk().SetBudget(ctx, wire.BudgetSetRequest{With: wire.Shown(d.credential()), Limits: wire.Limits{Operator: most, Role: most, Organization: most, Live: most}}); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{d.hold, d.release, d.searchArchive} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *drill) setSecrets(ctx context.Context) error {
	admin := d.server.Admin()
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails since Go 1.24
	if err := admin.SetSecret(ctx, "webhook", gatehouse.Secret("whsec_"+base64.StdEncoding.EncodeToString(key[:]))); err != nil {
		return err
	}
	for i, value := range d.cast.secrets {
		if err := admin.SetSecret(ctx, fmt.Sprintf("drill-%d", i+1), gatehouse.Secret(value)); err != nil {
			return err
		}
	}
	return nil
}

// share is how many of the reasons each of the rarer verbs gets.
func (d *drill) share() int { return (len(d.cast.reasons) + 9) / 10 }

// hold puts people under a legal hold, for reasons.
func (d *drill) hold(ctx context.Context) error {
	for i := range d.share() {
		r := wire.HoldRequest{Subject: d.cast.people[i].id, Until: time.Now().AddDate(0, 1, 0), Reason: d.cast.nextReason()}
		if _, err := d.server.Admin().AddHold(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// release asks for bulk releases as one operator, agrees to every other one as a second,
// and writes the first. Nobody adds operators to those of a site without one of them, a drill
// of its copy no more than a thief.
func (d *drill) release(ctx context.Context) error {
	admin := d.server.Admin()
	asks, agrees, err := d.colleagues(ctx)
	if gatehouse.ErrorCode(err) == "operator.agreement" {
		d.report.note("the site has operators, and one of them would have to agree to the drill's own: no bulk release was asked for")
		return nil
	}
	if err != nil {
		return err
	}
	to, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	plan, err := admin.PlanRelease(ctx, wire.ReleasePlanRequest{Subjects: []gatehouse.SubjectID{d.cast.people[0].id}, Fields: []string{"name", "record"}})
	if err != nil {
		return err
	}
	for i := range d.share() {
		now := time.Now().UTC()
		q := gatehouse.ReleaseRequest{Place: gatehouse.Place{Org: plan.Org, Site: plan.Site}, ID: gatehouse.NewID(now), Salt: make([]byte, gatehouse.ReleaseSalt), At: now, Operator: asks.Name,
			Purpose: "authority", Reason: d.cast.nextReason(), Items: plan.Items, Recipients: []string{to.Recipient().String()}}
		_, _ = rand.Read(q.Salt)
		body, err := json.Marshal(q)
		if err != nil {
			return err
		}
		signed, err := asks.Sign(asks.words, approval.RequestRelease, plan.Vault, q.ID, body)
		if err == nil {
			_, err = admin.RequestRelease(ctx, wire.ReleaseRequest{Body: body, Signature: signed})
		}
		if err == nil && i%2 == 0 {
			if signed, err = agrees.Sign(agrees.words, approval.ApproveRelease, plan.Vault, q.ID, body); err == nil {
				_, err = admin.ApproveRelease(ctx, wire.SignedRequest{ID: q.ID, Operator: agrees.Name, Signature: signed})
			}
		}
		if err == nil && i == 0 {
			err = admin.WriteRelease(ctx, q.ID, false, io.Discard)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// colleague is an operator with the words that only they know.
type colleague struct {
	approval.Operator
	words []byte
}

// quickWork keeps signing cheap: these operators' words are random, and gone with the copy.
const quickWork = 10

func (d *drill) colleagues(ctx context.Context) (asks, agrees colleague, err error) {
	for i, c := range []*colleague{&asks, &agrees} {
		c.words = []byte(auth.NewToken())
		if c.Operator, err = approval.New(fmt.Sprintf("drill-%d", i+1), c.words, quickWork); err != nil {
			return asks, agrees, err
		}
		o := wire.Operator{Name: c.Name, Salt: c.Salt, Work: c.Work, Public: c.Public}
		if _, err := d.desk().AddOperator(ctx, wire.OperatorRequest{With: wire.Shown(d.credential()), Operator: o}); err != nil {
			return asks, agrees, err
		}
	}
	return asks, agrees, nil
}

// indexTries and indexPause are how long the index may take to follow what was planted.
const (
	indexTries = 600
	indexPause = 100 * time.Millisecond
)

// searchArchive waits until the index holds everything that was planted, and finds some
// of it: an index that was empty would have nothing to leak.
func (d *drill) searchArchive(ctx context.Context) error {
	admin := d.server.Admin()
	for try := 0; ; try++ {
		status, err := admin.Status(ctx)
		if err != nil {
			return err
		}
		if status.Index != nil && status.Index.Current {
			break
		}
		if try == indexTries {
			return gatehouse.Errorf("drill.index", "see `gatehouse status` for what the index waits for", "the copy's search index does not follow its log")
		}
		if err := wait(ctx, indexPause); err != nil {
			return err
		}
	}
	for i := range d.share() {
		r := d.cast.people[i].record
		got, err := admin.Search(ctx, wire.SearchRequest{Reason: d.cast.nextReason(), Name: r.Name, NationalID: r.NationalID, Phone: r.Phone, Email: r.Email, Limit: 10})
		if err != nil {
			return err
		}
		if len(got.Hits) == 0 {
			return gatehouse.Errorf("drill.index", "this is a fault of the drill, or of the index", "a search of the copy's archive does not find a planted person")
		}
		d.report.Searches++
	}
	return nil
}

// perLabel is how many marks one canary's label has room for: each costs the passphrase's
// scrypt.
const perLabel = 11

// plantCanaries plants tokens with labels that say where they lie. They come late: what
// reads every page would shut the vault with a canary person.
func (d *drill) plantCanaries(ctx context.Context) error {
	if !d.unsealed {
		return nil
	}
	step := d.progress(int64(len(d.cast.labels)), "planting canaries")
	defer step.finish()
	for from := 0; from < len(d.cast.labels); from += perLabel {
		label := d.cast.labels[from:min(from+perLabel, len(d.cast.labels))]
		_, err := d.desk().PlantCanary(ctx, wire.CanaryPlantRequest{With: wire.Shown(d.credential()), Note: strings.Join(label, " ")})
		if err != nil {
			return err
		}
		d.cast.labelled += len(label)
		step.add(int64(len(label)))
	}
	return nil
}
