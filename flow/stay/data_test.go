package stay

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"gatehouse"
)

func newData() data {
	return data{tariffs: map[string][]revision{}, passes: map[gatehouse.SubjectID][]gatehouse.Pass{}, reservations: map[gatehouse.SubjectID][]gatehouse.Reservation{},
		quotas: map[string]gatehouse.Quota{}, denied: map[gatehouse.SubjectID]int{}, validations: map[gatehouse.ID][]gatehouse.Validation{}, orders: map[gatehouse.ID]order{}, accounts: map[gatehouse.ID]account{},
		vehicles: map[gatehouse.ID][]gatehouse.SubjectID{}, kiosks: map[gatehouse.ID]gatehouse.ParkingKiosk{}, shops: map[gatehouse.ID]gatehouse.Shop{}, codes: map[gatehouse.ID]gatehouse.ShopCode{},
		counts: map[string]gatehouse.CarParkCount{}, items: map[itemKey]itemOf{}}
}

// randomItem is one of a few, so that the same is put again and taken away.
func randomItem(r *rand.Rand) gatehouse.ParkingItem {
	id := gatehouse.ID{byte(1 + r.IntN(6))}
	i := gatehouse.ParkingItem{ID: id.String(), Subject: gatehouse.SubjectID{1, byte(r.IntN(3))}, Stay: gatehouse.ID{2, byte(r.IntN(3))}}
	var body any
	switch r.IntN(10) {
	case 0:
		i.Kind, body = gatehouse.PassItem, gatehouse.Pass{ID: id, Name: fmt.Sprint(r.IntN(9))}
	case 1:
		i.Kind, body = gatehouse.ReservationItem, gatehouse.Reservation{ID: id, Early: time.Duration(r.IntN(9))}
	case 2:
		i.Kind, i.ID, body = gatehouse.QuotaItem, "staff", gatehouse.Quota{Group: "staff", Spaces: r.IntN(9)}
	case 3:
		i.Kind, body = gatehouse.DeniedItem, struct{}{}
	case 4:
		i.Kind, body = gatehouse.ValidationItem, gatehouse.Validation{ID: id, BasisPoints: int64(r.IntN(9))}
	case 5:
		i.Kind, body = gatehouse.DriverAccountItem, gatehouse.DriverAccount{ID: id, Invoice: r.IntN(2) == 0}
	case 6:
		i.ID = gatehouse.ID{9, i.Subject[1]}.String() // one of a vehicle
		i.Kind, body = gatehouse.AccountVehicleItem, vehicleOf{gatehouse.ID{byte(1 + r.IntN(2))}}
	case 7:
		i.Kind, body = gatehouse.KioskItem, gatehouse.ParkingKiosk{ID: id}
	case 8:
		i.Kind, i.ID, body = gatehouse.CountItem, "centre", gatehouse.CarParkCount{CarPark: "centre", Difference: r.IntN(9)}
	case 9:
		i.Kind, body = gatehouse.ShopCodeItem, gatehouse.ShopCode{ID: id}
	}
	i.Body, _ = json.Marshal(body)
	return i
}

// What is in memory after changes is what a start would read.
func TestChangesAreWhatAStartReads(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	d, rows := newData(), map[itemKey]gatehouse.ParkingItem{}
	for n := range 4000 {
		i := randomItem(r)
		key := itemKey{i.Kind, i.ID}
		if r.IntN(3) == 0 {
			d.drop(key)
			delete(rows, key)
		} else {
			if err := d.take(i); err != nil {
				t.Fatal(err)
			}
			rows[key] = i
		}
		if n%40 != 0 {
			continue
		}
		again := newData()
		for _, key := range slices.SortedFunc(maps.Keys(rows), func(a, b itemKey) int {
			return slices.Compare([]string{string(a.kind), a.id}, []string{string(b.kind), b.id})
		}) {
			if err := again.take(rows[key]); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(d, again) {
			t.Fatalf("after %d changes:\n%+v\nis not\n%+v", n, d, again)
		}
	}
}
