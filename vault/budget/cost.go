package budget

// What opening one value costs, in units. This is the one place that says so.
const (
	Name     = 1  // a name or plate in a list
	Reason   = 1  // why something was disclosed
	Record   = 10 // a record, a passage's detail, a picture
	IDNumber = 50 // a national ID number
	Search   = 5  // a search, also one that finds nothing; its rows come on top
)

// Cost is what opening a value of the named field costs. A field that is not known
// costs as much as a record.
func Cost(field string) int {
	switch field {
	case "national_id":
		return IDNumber
	case "name":
		return Name
	case "reason":
		return Reason
	}
	return Record
}

// LiveCost is what it costs to show a value on a guard's live window, which lists
// names and plates: there the plate in a new passage's detail counts as one in a list. An
// ID number, a record or a picture costs what it costs anywhere.
func LiveCost(table, field string) int {
	if table == "passages" && field == "detail" {
		return Name
	}
	return Cost(field)
}
