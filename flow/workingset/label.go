package workingset

import (
	"strings"

	"gatehouse"
)

// ByLabel is whose badge says the label, whatever its case; more than one where labels
// were given twice.
func (s *Set) ByLabel(label string) (found []gatehouse.SubjectID) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, b := range s.badges {
		if strings.EqualFold(b.Label, label) {
			found = append(found, id)
		}
	}
	return found
}
