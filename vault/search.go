package vault

import (
	"context"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vault/index"
)

var _ gatehouse.Searcher = (*Vault)(nil)

const methodSearch = "search" // header searchRequest, attachment: proof; reply gatehouse.SearchAnswer

const searchPurpose = "search"

type searchRequest struct {
	Operator, Role, Reason string
	Query                  gatehouse.SearchQuery
}

// searchUnits is what a search costs of a budget; each row of its answer costs one more.
const searchUnits = 5

// searchLimit is how long one search may take.
const searchLimit = 20 * time.Second

// Search implements gatehouse.Searcher. Errors: vault.sealed, vault.forbidden,
// vault.reason, vault.operator, search.malformed, index.damaged, vault.unavailable,
// vault.timeout, what the budget refuses with, and the store's.
func (v *Vault) Search(ctx context.Context, r gatehouse.SearchRequest) (gatehouse.SearchAnswer, error) {
	var answer gatehouse.SearchAnswer
	_, err := v.process.Call(ctx, methodSearch, searchRequest{Operator: r.Operator, Role: r.Role, Reason: r.Reason, Query: r.Query}, [][]byte{r.Proof}, &answer)
	return answer, err
}

func (s *service) handleSearch(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in searchRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 1 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the proof is missing")
	}
	answer, err := s.search(ctx, in, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	return answer, nil, nil
}

// search finds, writes the disclosure, and answers: a search that finds nothing has
// told something, too.
func (s *service) search(ctx context.Context, in searchRequest, proof []byte) (answer gatehouse.SearchAnswer, err error) {
	if err := checkDisclosure([]string{searchPurpose}, in.Operator, searchPurpose, in.Reason, 0); err != nil {
		return answer, err
	}
	if in.Reason == "" {
		return answer, gatehouse.Errorf("vault.reason", "say why, for example the number of the case", "a search needs a reason")
	}
	if err := index.Check(in.Query); err != nil {
		return answer, err
	}
	private, err := s.room.admit(in.Operator, proof)
	if err != nil {
		return answer, err
	}
	err = s.index.use(ctx, private, func(x *index.Index) error {
		p, err := x.Progress(ctx)
		if err != nil {
			return err
		}
		answer.Indexed, answer.Position = p.Until, p.Position
		limited, cancel := context.WithTimeout(ctx, searchLimit)
		defer cancel()
		answer.Hits, answer.Next, err = x.Search(limited, in.Query)
		if err != nil && limited.Err() != nil && ctx.Err() == nil {
			return gatehouse.Errorf("search.slow", "narrow it: more of the plate or name, a gate, a time", "the search took longer than %v", searchLimit)
		}
		return err
	})
	if err != nil {
		return gatehouse.SearchAnswer{}, err
	}
	now := time.Now()
	d := gatehouse.Disclosure{ID: gatehouse.NewID(now), At: now, Operator: in.Operator, Role: in.Role, Purpose: searchPurpose, Reason: in.Reason,
		Units: searchUnits + len(answer.Hits)}
	if d.Items, err = searchItems(private[publicKeyName(s.room.current())], d.ID, in.Query, answer.Hits); err != nil {
		return gatehouse.SearchAnswer{}, err
	}
	if err := s.audit.disclose(ctx, d, nil); err != nil {
		return gatehouse.SearchAnswer{}, err
	}
	if s.afterLogging != nil {
		s.afterLogging()
	}
	return answer, nil
}

// searchItems say what was searched by and what was found, never for what: that stands
// as a digest under a secret of the unsealed vault, so that it can be shown later and
// cannot be tried out by whoever has the log and the gate key.
func searchItems(private hpke.PrivateKey, id gatehouse.ID, q gatehouse.SearchQuery, hits []gatehouse.SearchHit) ([]string, error) {
	var items []string
	for _, by := range []struct {
		name  string
		given bool
	}{{"plate", q.Plate != ""}, {"name", q.Name != ""}, {"national_id", q.NationalID != ""}, {"number", q.Number != ""}, {"phone", q.Phone != "" || q.PhoneEnd != ""},
		{"email", q.Email != ""}, {"gate", q.Gate != ""}, {"time", !q.Since.IsZero() || !q.Until.IsZero()}} {
		if by.given {
			items = append(items, "search/"+by.name)
		}
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	secret, err := vaultSecret(private, labelQuery)
	if err != nil {
		return nil, err
	}
	defer clear(secret[:])
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(bind(id[:], text))
	items = append(items, "search/query/"+hex.EncodeToString(mac.Sum(nil)))
	for _, h := range hits {
		table := "passages/"
		if h.Kind == gatehouse.RecordHit {
			table = "subjects/"
		}
		items = append(items, table+h.ID.String()+"/found")
	}
	return items, nil
}
