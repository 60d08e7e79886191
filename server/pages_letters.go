package server

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/notify"
)

// letterWithin is how long a mail server may take for a letter that somebody waits for.
const letterWithin = 20 * time.Second

// letterAbout is the letter that is due for a request as it stands: that it has arrived, or
// that it was answered.
func letterAbout(r gatehouse.Request, lang string) notify.Letter {
	if r.Done.IsZero() {
		return notify.ReceivedLetter(r, lang)
	}
	return notify.AnsweredLetter(gatehouse.NewID(r.Done), r, lang)
}

// Letter implements console.Privacy.
func (p pages) Letter(ctx context.Context, id gatehouse.ID, lang string) (console.Letter, error) {
	r, err := p.store.Request(ctx, p.site.Place, id)
	if err != nil {
		return console.Letter{}, err
	}
	l := letterAbout(r, lang)
	return console.Letter{Lang: lang, Subject: l.Subject, Said: l.Said, Facts: l.Facts}, nil
}

// MaySend implements console.Privacy.
func (p pages) MaySend() bool {
	_, ok := p.config.Alarms.mail(p.Server)
	return ok
}

// SendLetter implements console.Privacy. The address is opened for this one letter.
func (p pages) SendLetter(ctx context.Context, who console.Who, id gatehouse.ID) error {
	r, err := p.store.Request(ctx, p.site.Place, id)
	if err != nil {
		return err
	}
	if len(r.Contact) == 0 {
		return gatehouse.Errorf("request.no_email", "print the letter", "the request names no address")
	}
	if !p.MaySend() {
		return noMailServer()
	}
	plain, err := p.lend.As(who.Role).OpenFor(ctx, who.Operator, "person", "letter about request "+id.String(), []gatehouse.SealedRef{{Where: gatehouse.RequestContext(p.site.Place, id, "contact"), Sealed: r.Contact}})
	if err != nil {
		if gatehouse.ErrorCode(err) == "vault.canary" {
			p.shutByCanary(ctx)
		}
		return err
	}
	var contact gatehouse.RequestContact
	if plain[0] == nil || json.Unmarshal(plain[0], &contact) != nil {
		return gatehouse.Errorf("request.no_email", "print the letter", "the request's address is gone")
	}
	return p.post(ctx, who, r, contact)
}

func noMailServer() error {
	return gatehouse.Errorf("request.no_mail", "print the letter, or set alarms.mail in gatehouse.yml", "there is no mail server that letters could be sent by")
}

// post sends a letter about a request, and notes that it was sent.
func (p pages) post(ctx context.Context, who console.Who, r gatehouse.Request, to gatehouse.RequestContact) error {
	m, ok := p.config.Alarms.mail(p.Server)
	if !ok {
		return noMailServer()
	}
	ctx, cancel := context.WithTimeout(ctx, letterWithin)
	defer cancel()
	if err := m.Send(ctx, []string{to.Email}, letterAbout(r, to.Lang)); err != nil {
		return err
	}
	defer p.committed()
	return p.requests.LetterSent(context.WithoutCancel(ctx), who.Operator, r.ID)
}
