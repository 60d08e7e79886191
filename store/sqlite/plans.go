package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// PutPlan implements gatehouse.PlanStore.
func (s *Store) PutPlan(ctx context.Context, p gatehouse.FloorPlan, leaf []byte) error {
	if err := checkPlace(p.Place); err != nil {
		return err
	}
	if p.ID == "" {
		return invalid("a plan needs an id")
	}
	key := []any{string(p.Org), string(p.Site), string(p.ID)}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		var err error
		if p.Picture == nil {
			err = changed(tx.ExecContext(ctx, `UPDATE plans SET title = ? WHERE org = ? AND site = ? AND id = ?`, append([]any{p.Title}, key...)...))
		} else {
			_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO plans (org, site, id, title, width, height, picture) VALUES (?, ?, ?, ?, ?, ?, ?)`, append(key, p.Title, p.Width, p.Height, p.Picture)...)
		}
		if err != nil {
			return false, err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM plan_gates WHERE org = ? AND site = ? AND plan = ?`, key...); err != nil {
			return false, err
		}
		for gate, spot := range p.Spots {
			if _, err := tx.ExecContext(ctx, `INSERT INTO plan_gates (org, site, plan, gate, x, y) VALUES (?, ?, ?, ?, ?, ?)`, append(key[:3:3], string(gate), spot.X, spot.Y)...); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// changed fails with store.not_found for a statement that changed no plan.
func changed(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = notFound("plan")
	}
	return err
}

// RemovePlan implements gatehouse.PlanStore.
func (s *Store) RemovePlan(ctx context.Context, place gatehouse.Place, id gatehouse.FloorPlanID, leaf []byte) error {
	if err := checkPlace(place); err != nil {
		return err
	}
	key := []any{string(place.Org), string(place.Site), string(id)}
	return s.site.commit(ctx, leaf, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		if _, err := tx.ExecContext(ctx, `DELETE FROM plan_gates WHERE org = ? AND site = ? AND plan = ?`, key...); err != nil {
			return false, err
		}
		err := changed(tx.ExecContext(ctx, `DELETE FROM plans WHERE org = ? AND site = ? AND id = ?`, key...))
		return err == nil, err
	})
}

// Plans implements gatehouse.PlanStore.
func (s *Store) Plans(ctx context.Context, place gatehouse.Place) (found []gatehouse.FloorPlan, err error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	at, key := map[gatehouse.FloorPlanID]int{}, []any{string(place.Org), string(place.Site)}
	err = s.siteRows(ctx, `SELECT id, title, width, height FROM plans WHERE org = ? AND site = ? ORDER BY id`, key, func(scan func(...any) error) error {
		p := gatehouse.FloorPlan{Place: place, Spots: map[gatehouse.GateID]gatehouse.Spot{}}
		err := scan(&p.ID, &p.Title, &p.Width, &p.Height)
		at[p.ID] = len(found)
		found = append(found, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, s.siteRows(ctx, `SELECT plan, gate, x, y FROM plan_gates WHERE org = ? AND site = ?`, key, func(scan func(...any) error) error {
		var plan gatehouse.FloorPlanID
		var gate gatehouse.GateID
		var spot gatehouse.Spot
		err := scan(&plan, &gate, &spot.X, &spot.Y)
		if i, ok := at[plan]; ok {
			found[i].Spots[gate] = spot
		}
		return err
	})
}

// PlanPicture implements gatehouse.PlanStore.
func (s *Store) PlanPicture(ctx context.Context, place gatehouse.Place, id gatehouse.FloorPlanID) (picture []byte, err error) {
	if err := checkPlace(place); err != nil {
		return nil, err
	}
	err = s.site.db.Readers().QueryRowContext(ctx, `SELECT picture FROM plans WHERE org = ? AND site = ? AND id = ?`, string(place.Org), string(place.Site), string(id)).Scan(&picture)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound("plan")
	}
	return picture, sealeddb.Wrap(SiteFile, err)
}
