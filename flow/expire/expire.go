// Package expire takes away what may no longer be kept: first the keys, which makes
// every copy noise, then the storage.
package expire

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/retention"
)

// Keys deletes a day's rows of the key store.
type Keys interface {
	Expire(ctx context.Context, place gatehouse.Place, class gatehouse.RetentionClass, day time.Time) (chains int, err error)
}

// Passages finds what the day's pictures belonged to.
type Passages interface {
	Passages(ctx context.Context, q gatehouse.PassageQuery) ([]gatehouse.Passage, error)
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
}

// Blobs deletes sealed pictures; one that is gone is no error.
type Blobs interface {
	DeleteBlob(ctx context.Context, id gatehouse.BlobID) error
}

// Expirer works for one site.
type Expirer struct {
	Place    gatehouse.Place
	Keys     Keys
	Passages Passages
	Blobs    Blobs
}

// Strangers expires the pictures of people and vehicles that are not enrolled: all
// days among the last back ones that are over their time. It may be repeated.
func (e Expirer) Strangers(ctx context.Context, now time.Time, back int) error {
	kept := retention.FirstKept(now, retention.Strangers)
	for i := 1; i <= back; i++ {
		if _, err := e.Keys.Expire(ctx, e.Place, gatehouse.StrangerClass, kept.AddDate(0, 0, -i)); err != nil {
			return err
		}
	}
	return e.sweep(ctx, kept, kept.AddDate(0, 0, -back))
}

// sweep deletes the pictures of strangers' passages between since and until.
func (e Expirer) sweep(ctx context.Context, until, since time.Time) error {
	q := gatehouse.PassageQuery{Place: e.Place, Before: firstID(until), Since: since, Limit: 500}
	for {
		page, err := e.Passages.Passages(ctx, q)
		if err != nil {
			return err
		}
		for _, p := range page {
			q.Before = p.ID
			if p.Known {
				continue
			}
			stored, err := e.Passages.Passage(ctx, e.Place, p.ID)
			if err != nil {
				return err
			}
			for _, picture := range stored.Evidence {
				if err := e.Blobs.DeleteBlob(ctx, picture.Blob); err != nil && gatehouse.ErrorCode(err) != "store.not_found" {
					return err
				}
			}
		}
		if len(page) < q.Limit {
			return nil
		}
	}
}

// firstID is the smallest time-ordered id of the moment t.
func firstID(t time.Time) gatehouse.ID {
	id := gatehouse.NewID(t)
	clear(id[6:])
	return id
}
