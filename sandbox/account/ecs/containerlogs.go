package ecs

import (
	"fmt"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// isLogRouter tells a task's log router.
func (c Container) isLogRouter() bool { return c["firelensConfiguration"] != nil }

// logDriver is what takes the container's output, "" for none.
func (c Container) logDriver() string {
	driver, _ := account.Member(c["logConfiguration"], "logDriver").(string)
	return driver
}

// secretReferences are the container's secrets: those of its variables and those of its log driver.
func (c Container) secretReferences() []map[string]any {
	return slices.Concat(c.objects("secrets"), account.Objects(account.Member(c["logConfiguration"], "secretOptions")))
}

// checkLogs looks at where the container's output goes.
func (c Container) checkLogs(fargate bool) error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	driver := c.logDriver()
	if driver == "" {
		return nil
	}
	drivers := []string{awslimits.CloudWatchDriver, awslimits.FireLensDriver, awslimits.SplunkDriver}
	if fargate && !slices.Contains(drivers, driver) { // ECS's own words are not known
		return client("Fargate compatible task definitions do not support the log driver %s", driver)
	}
	given := []string{}
	options, _ := account.Member(c["logConfiguration"], "options").(map[string]any)
	for option := range options {
		given = append(given, option)
	}
	for _, secret := range account.Objects(account.Member(c["logConfiguration"], "secretOptions")) {
		given = append(given, fmt.Sprint(secret["name"]))
	}
	slices.Sort(given)
	if allowed := awslimits.LogOptions[driver]; allowed != nil {
		refused := slices.DeleteFunc(slices.Clone(given), func(o string) bool { return slices.Contains(allowed, o) })
		if len(refused) > 0 {
			return client("Log driver %s disallows options: %s", driver, strings.Join(refused, ", "))
		}
	}
	missing := slices.DeleteFunc(slices.Clone(awslimits.RequiredLogOptions[driver]),
		func(o string) bool { return slices.Contains(given, o) })
	if len(missing) > 0 {
		return client("Log driver %s requires options: %s", driver, strings.Join(missing, ", "))
	}
	return nil
}

// checkRouter looks at the task's log router, and at those whose output it sends on.
func (d TaskDefinition) checkRouter() error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	routers, users := 0, 0
	for _, c := range d.Containers {
		if c.logDriver() == awslimits.FireLensDriver {
			users++
		}
		if !c.isLogRouter() {
			continue
		}
		routers++
		kind := account.Member(c["firelensConfiguration"], "type")
		user, _, _ := strings.Cut(fmt.Sprint(c["user"]), ":")
		options, _ := account.Member(c["firelensConfiguration"], "options").(map[string]any)
		switch {
		case kind != "fluentbit" && kind != "fluentd": // ECS's own words are not known
			return client("Invalid firelens configuration type '%v' of container '%s'.", kind, c.Name())
		case user != awslimits.FireLensUser:
			return client("If 'user' field is specified on firelens container, then 'UID' has to be '0'.")
		case c.logDriver() == awslimits.FireLensDriver: // ECS's own words are not known
			return client("The firelens container '%s' cannot use the awsfirelens log driver.", c.Name())
		case slices.Contains(d.RequiresCompatibilities, awslimits.Fargate) && options["config-file-type"] == "s3":
			return client("Fargate compatible task definitions do not support the firelens config-file-type s3")
		}
		for option := range options {
			if !slices.Contains(awslimits.FireLensOptions, option) {
				return client("Invalid firelens option '%s' of container '%s'.", option, c.Name())
			}
		}
	}
	switch {
	case routers > 1: // ECS's own words are not known
		return client("Task definition has %d firelens containers; at most 1 is allowed.", routers)
	case routers == 0 && users > 0:
		return client("When awsfirelens log driver is specified in log configuration, a firelens configuration object must " +
			"be configured in one of the containers.")
	case routers == 1 && users == 0:
		return client("When a firelensConfiguration object is specified, at least one container has to be configured with " +
			"the awsfirelens log driver.")
	}
	return nil
}
