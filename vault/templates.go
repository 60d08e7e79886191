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

// templateClass tells the rows of such chains apart; no day has it.
const templateClass gatehouse.RetentionClass = "template"

// templateCopies is the table of those copies.
const templateCopies = gatehouse.EscrowTable + string(gatehouse.TemplateItem)

const methodForgetTemplates = "forget-templates" // header templatesRequest; reply int

type templatesRequest struct {
	Place   gatehouse.Place
	Subject gatehouse.SubjectID
}

// ForgetTemplates deletes the chains of a subject's templates, for good: no copy of
// them in the archive opens any more. It is an entry of the audit log. Errors:
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
	leaf := gatehouse.EventLeaf(gatehouse.KeyLeafKind, time.Now(), "templates forgotten", org, site, alias.String(), strconv.Itoa(chains))
	if _, err := s.audit.record(ctx, leaf, nil); err != nil {
		return nil, nil, err
	}
	n, err := s.keys.delete(ctx, func(exec execFunc) error {
		return exec(`DELETE`+those, org, site, in.Subject[:], string(templateClass))
	})
	return n, nil, err
}
