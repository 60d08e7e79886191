package pairing

import "gatehouse"

// likeness is what two pictures say of one vehicle.
type likeness uint8

const (
	unclear likeness = iota // one of them shows too little, or they differ in one thing
	alike                   // colour and shape are the same
	unlike                  // colour and shape both differ, or the class does
)

// looks compares what was seen. One thing alone may be a shadow, or a lamp; a vehicle
// that differs in colour and in shape is another one. Class counts where it tells a
// motorbike, a truck or a bus from the rest: cars and vans are taken for each other.
func looks(a, b gatehouse.Mark) likeness {
	if plain(a.Class) && plain(b.Class) && a.Class != b.Class && (a.Class == gatehouse.Motorbike || b.Class == gatehouse.Motorbike) {
		return unlike
	}
	x, y := a.Look, b.Look
	if x.Colour == "" || y.Colour == "" || x.Shape == "" || y.Shape == "" {
		return unclear
	}
	switch {
	case x == y:
		return alike
	case x.Colour != y.Colour && x.Shape != y.Shape:
		return unlike
	}
	return unclear
}

// plain reports whether a camera could have given the class.
func plain(c gatehouse.VehicleClass) bool {
	switch c {
	case gatehouse.Car, gatehouse.Motorbike, gatehouse.Truck, gatehouse.Bus:
		return true
	}
	return false
}
