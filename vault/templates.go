package vault

import (
	"context"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// A template is there as long as its consent. So the archive's copies of a subject's
// templates are sealed under a chain of their own instead of the subject's, by month as
// that: its rows go when the consent is withdrawn, and every copy is noise then, in old
// files too. Erasing the subject takes them with the rest.

const templateClass = gatehouse.TemplateClass

// templateCopies is the table of those copies.
const templateCopies = gatehouse.EscrowTable + string(gatehouse.TemplateItem)

const methodForgetTemplates = "forget-templates" // header templatesRequest; reply int

type templatesRequest struct {
	Place   gatehouse.Place
	Subject gatehouse.SubjectID
}

// ForgetTemplates deletes the chains of a subject's templates, for good: no copy of
// them in the archive opens any more, and a restore forgets them again. It is an entry
// of the audit log and of the erasure list. Errors:
// vault.unavailable, vault.timeout, and the store's.
func (v *Vault) ForgetTemplates(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) error {
	drop := func() {
		v.live.drop(func(k chainKey) bool { return k.Place == place && k.class == templateClass && k.subject == subject })
	}
	drop()
	_, err := v.process.Call(ctx, methodForgetTemplates, templatesRequest{place, subject}, nil, nil)
	drop() // one that was begun meanwhile
	return err
}

func (s *service) templateHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodForgetTemplates: s.handleForgetTemplates}
}

func (s *service) handleForgetTemplates(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in templatesRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	s.destroying.Lock()
	defer s.destroying.Unlock()
	ctx = context.WithoutCancel(ctx)
	org, site := string(in.Place.Org), string(in.Place.Site)
	const those = ` FROM chains WHERE kind = 'subject' AND org = ? AND site = ? AND subject = ? AND class = ?`
	var chains int
	err := s.keys.db.Readers().QueryRowContext(ctx, `SELECT count(*)`+those, org, site, in.Subject[:], string(templateClass)).Scan(&chains)
	if err != nil || chains == 0 {
		return 0, nil, err
	}
	alias, err := s.keys.alias(ctx, in.Place, in.Subject)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	leaf := gatehouse.EventLeaf(gatehouse.KeyLeafKind, now, "templates forgotten", org, site, alias.String(), strconv.Itoa(chains))
	if _, err := s.audit.record(ctx, leaf, nil); err != nil {
		return nil, nil, err
	}
	n, err := s.keys.delete(ctx, func(exec execFunc) error {
		if err := exec(noteRemoval, now.UnixMilli(), org, site, templatesRemoval, in.Subject[:], string(templateClass), momentOf(now)); err != nil {
			return err
		}
		return exec(`DELETE`+those, org, site, in.Subject[:], string(templateClass))
	})
	return n, nil, err
}

// templatesRemoval is the kind of their entries in the erasure list.
const templatesRemoval = "templates"

// momentOf is what such an entry has for a day.
func momentOf(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// forgetTemplates is one such entry carried out on a restored key store: what was made
// since, with a new consent, stays.
func forgetTemplates(exec execFunc, r gatehouse.Removal) error {
	org, site, at := string(r.Org), string(r.Site), r.At.UnixMilli()
	if err := exec(noteRemoval, at, org, site, templatesRemoval, r.Subject[:], string(r.Class), r.Day); err != nil {
		return err
	}
	return exec(`DELETE FROM chains WHERE kind = 'subject' AND org = ? AND site = ? AND subject = ? AND class = ? AND created <= ?`, org, site, r.Subject[:], string(r.Class), at)
}
