// Package requests keeps what people ask about the data that is held of them, until it
// was answered: dates in the open, words sealed.
package requests

import (
	"context"
	"encoding/json"
	"errors"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/rules/privacy"
)

// Ports are what this needs of the rest.
type Ports struct {
	Place    gatehouse.Place
	Location *time.Location
	Store    gatehouse.PrivacyStore
	Subjects Subjects
	Sealer   gatehouse.Sealer
	Now      func() time.Time
}

// Subjects says who is enrolled.
type Subjects interface {
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
}

// Desk keeps one site's requests. Its methods are safe for concurrent use.
type Desk struct {
	Ports
	mu sync.Mutex // from reading a request to writing it
}

// New returns a desk over its ports.
func New(p Ports) *Desk {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Desk{Ports: p}
}

// maxText bounds what is noted or answered, in bytes.
const maxText = 4000

// checkText refuses what is no text. Errors: request.text.
func checkText(s string) error {
	if len(s) > maxText || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return gatehouse.Errorf("request.text", "shorten it to 4,000 bytes", "the text is too long, or no text")
	}
	return nil
}

// seal seals a text under the day, and under whoever it is about: with their keys, or
// after metadata_days, it is noise. nil for no text.
func (d *Desk) seal(ctx context.Context, r gatehouse.Request, field, text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	subject := r.Subject
	if !subject.IsZero() {
		s, err := d.Subjects.Subject(ctx, d.Place, subject)
		switch {
		case gatehouse.ErrorCode(err) == "store.not_found", err == nil && s.Status == gatehouse.ErasedStatus:
			subject = gatehouse.SubjectID{} // an erased subject gets no keys again
		case err != nil:
			return nil, err
		}
	}
	return d.Sealer.Seal(ctx, subject, gatehouse.ReasonClass, gatehouse.RequestContext(d.Place, r.ID, field), []byte(text), gatehouse.PadField)
}

// Open takes a request in. subject is zero where nobody enrolled is meant; note is in the
// officer's words; contact without an address means that letters are printed. Errors:
// request.kind, request.text, request.email, request.language, subject.unknown, sealing.*,
// the store's.
func (d *Desk) Open(ctx context.Context, operator string, kind gatehouse.RequestKind, subject gatehouse.SubjectID, note string, contact gatehouse.RequestContact) (gatehouse.Request, error) {
	now := d.Now().UTC()
	r := gatehouse.Request{Place: d.Place, ID: gatehouse.NewID(now), Kind: kind, Subject: subject, Opened: now, Due: privacy.Answer(now, d.Location)}
	if !slices.Contains(gatehouse.RequestKinds, kind) {
		return r, gatehouse.Errorf("request.kind", "use access, correction, export or erasure", "there is no such kind of request")
	}
	if err := errors.Join(checkText(note), checkContact(contact)); err != nil {
		return r, err
	}
	if !subject.IsZero() {
		if s, err := d.Subjects.Subject(ctx, d.Place, subject); gatehouse.ErrorCode(err) == "store.not_found" || err == nil && s.Status == gatehouse.ErasedStatus {
			return r, gatehouse.Errorf("subject.unknown", "look it up on the page of people; leave it empty where nobody enrolled is meant", "nobody is enrolled as that")
		} else if err != nil {
			return r, err
		}
	}
	var err error
	if r.Note, err = d.seal(ctx, r, "note", note); err != nil {
		return r, err
	}
	if contact.Email != "" {
		plain, err := json.Marshal(contact)
		if err == nil {
			r.Contact, err = d.seal(ctx, r, "contact", string(plain))
		}
		if err != nil {
			return r, err
		}
	}
	return r, d.Store.PutRequest(ctx, r, gatehouse.RequestLeaf(now, "opened", r, operator))
}

// maxEmail bounds an address, in bytes (RFC 5321, 4.5.3.1.3, without the brackets).
const maxEmail = 254

// checkContact refuses what no mail can be sent to. A mail server that takes other letters
// than ASCII's in addresses is none that can be relied on. Errors: request.email,
// request.language.
func checkContact(c gatehouse.RequestContact) error {
	if c.Email == "" {
		return nil
	}
	a, err := mail.ParseAddress(c.Email)
	if err != nil || a.Address != c.Email || len(c.Email) > maxEmail || strings.ContainsFunc(c.Email, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return gatehouse.Errorf("request.email", "write it as name@example.org, or leave it empty and print the letters", "this is no address that mail can be sent to")
	}
	if c.Lang != "en" && c.Lang != "zh" {
		return gatehouse.Errorf("request.language", "use en or zh", "letters are written in English or Chinese")
	}
	return nil
}

// LetterSent notes in the audit log that a letter about the request was sent. Errors:
// store.not_found.
func (d *Desk) LetterSent(ctx context.Context, operator string, id gatehouse.ID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.Store.Request(ctx, d.Place, id)
	if err != nil {
		return err
	}
	return d.Store.PutRequest(ctx, r, gatehouse.RequestLeaf(d.Now().UTC(), "letter-sent", r, operator))
}

// Extend puts the last day off, once. Errors: request.closed, request.extended,
// store.not_found.
func (d *Desk) Extend(ctx context.Context, operator string, id gatehouse.ID) error {
	return d.change(ctx, operator, "extended", id, func(r *gatehouse.Request) error {
		if r.Extended {
			return gatehouse.Errorf("request.extended", "answer it", "the request was extended already")
		}
		r.Extended, r.Due = true, privacy.Extend(r.Opened, d.Location)
		return nil
	})
}

// Answer closes a request; text is what the person was told. Errors: request.closed,
// request.outcome, request.text, store.not_found, sealing.*.
func (d *Desk) Answer(ctx context.Context, operator string, id gatehouse.ID, outcome gatehouse.RequestOutcome, text string) error {
	if outcome != gatehouse.RequestGranted && outcome != gatehouse.RequestRefused {
		return gatehouse.Errorf("request.outcome", "use granted or refused", "there is no such outcome")
	}
	if err := checkText(text); err != nil {
		return err
	}
	if outcome == gatehouse.RequestRefused && text == "" {
		return gatehouse.Errorf("request.text", "say why it was refused: the person has to be told", "a refusal needs its reason")
	}
	return d.change(ctx, operator, "answered", id, func(r *gatehouse.Request) (err error) {
		r.Done, r.Outcome = d.Now().UTC(), outcome
		r.Answer, err = d.seal(ctx, *r, "answer", text)
		return err
	})
}

func (d *Desk) change(ctx context.Context, operator, event string, id gatehouse.ID, do func(*gatehouse.Request) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.Store.Request(ctx, d.Place, id)
	if err != nil {
		return err
	}
	if !r.Done.IsZero() {
		return gatehouse.Errorf("request.closed", "open another one", "the request was answered already")
	}
	if err := do(&r); err != nil {
		return err
	}
	return d.Store.PutRequest(ctx, r, gatehouse.RequestLeaf(d.Now().UTC(), event, r, operator))
}
