package server

import (
	"gatehouse/flow/expire"
)

// consoleJobs are what somebody at the console waits for.
type consoleJobs struct {
	retention job[expire.Report]
}
