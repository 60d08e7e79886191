package vault

import "gatehouse/internal/child"

func (s *service) releaseHandlers() map[string]child.Handler { return nil }
