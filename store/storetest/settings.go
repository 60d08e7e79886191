package storetest

import (
	"testing"

	"gatehouse"
)

func testSettings(t *testing.T, s *suite) {
	put := func(place gatehouse.Place, name, value string, minute int) {
		set := gatehouse.Setting{Name: name, Value: value, At: at(minute)}
		s.must(s.PutSetting(s.ctx(), place, set, gatehouse.SettingLeaf(place, set, "anna")))
	}
	put(here, "log_level", "debug", 1)
	put(here, "backup.every", "1h", 2)
	put(here, "log_level", "warn", 3)
	put(there, "log_level", "error", 4)
	s.reopen()
	all, err := s.Settings(s.ctx(), here)
	s.must(err)
	if len(all) != 2 || all[0].Name != "backup.every" || all[1].Value != "warn" || !all[1].At.Equal(at(3)) {
		t.Errorf("%+v", all)
	}
	put(here, "log_level", "", 5)
	put(here, "not.there", "", 6)
	if all, err = s.Settings(s.ctx(), here); err != nil || len(all) != 1 {
		t.Errorf("taken away: %+v, %v", all, err)
	}
	if all, err = s.Settings(s.ctx(), there); err != nil || len(all) != 1 || all[0].Value != "error" {
		t.Errorf("another place: %+v, %v", all, err)
	}
	leaves := 0
	s.must(s.Leaves(s.ctx(), 0, func(_ uint64, leaf []byte) error {
		if kind, _, _, err := gatehouse.LeafParts(leaf); err == nil && kind == gatehouse.SettingLeafKind {
			leaves++
		}
		return nil
	}))
	if leaves != 6 {
		t.Errorf("%d leaves of 6 changes", leaves)
	}
}
