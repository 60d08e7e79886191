package server

import (
	"gatehouse/flow/backup"
	"gatehouse/flow/expire"
)

// consoleJobs are what somebody at the console waits for.
type consoleJobs struct {
	retention job[expire.Report]
	verify    job[verified]
	backup    job[backup.Report]
}
