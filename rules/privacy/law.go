package privacy

import (
	"fmt"
	"slices"
)

// Law is what laws ask of a site that recognizes faces, where they differ. A site may be
// stricter than its law, never laxer.
type Law struct {
	Profile string // one of Profiles
	// GuardianAge is the age in years below which a guardian agrees.
	GuardianAge int
	// Signed says that consent is a signed form, and no answer at the desk.
	Signed bool
	// FacesAtWork says that faces may count hours worked, of those who agreed.
	FacesAtWork bool
	// RecordDays is how long the record and template of somebody who left may be kept, in
	// days; 0 is no bound of the profile's.
	RecordDays int
}

// laws are the profiles. None is the vocabulary's own floor, with what all of them ask.
//
//   - cn: PIPL art. 31 and the measures on facial recognition of 2025 (a guardian under 14).
//   - eu: GDPR art. 8(1), which member states may lower, to 13 at the least; this is for a site
//     in a state that did not.
//   - fr: Loi informatique et libertés, art. 45 (15 years); CNIL, on biometrics at work: faces
//     may open doors, and never count hours.
//   - us-il: BIPA, 740 ILCS 14/15: a written release (b), destruction within three years of the
//     last interaction (a); 755 ILCS 5/11-1 (18 years).
var laws = []Law{
	{Profile: "", GuardianAge: 14, FacesAtWork: true},
	{Profile: "cn", GuardianAge: 14, FacesAtWork: true},
	{Profile: "eu", GuardianAge: 16, FacesAtWork: true},
	{Profile: "fr", GuardianAge: 15},
	{Profile: "us-il", GuardianAge: 18, Signed: true, FacesAtWork: true, RecordDays: 3 * 365},
}

// Profiles lists the names of the laws, "" among them.
func Profiles() (all []string) {
	for _, l := range laws {
		all = append(all, l.Profile)
	}
	return all
}

// Majority is the highest age that a site may ask a guardian's consent below.
const Majority = 21

// LawOf is a profile's law, with a guardian's age of the site's own; 0 is the profile's. It
// fails where there is no such profile, and where the age is lower than the law's or higher
// than Majority.
func LawOf(profile string, guardianAge int) (Law, error) {
	i := slices.IndexFunc(laws, func(l Law) bool { return l.Profile == profile })
	if i < 0 {
		return Law{}, fmt.Errorf("there is no profile %q", profile)
	}
	l := laws[i]
	if guardianAge != 0 && (guardianAge < l.GuardianAge || guardianAge > Majority) {
		return Law{}, fmt.Errorf("a guardian's age of %d is not within %d and %d", guardianAge, l.GuardianAge, Majority)
	}
	l.GuardianAge = max(l.GuardianAge, guardianAge)
	return l, nil
}
