#!/usr/bin/env bash
# Tells the whole story in a scratch copy: build, deploy, change, promote, go back. `make demo` runs it.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$PWD/.bin
scratch=$(mktemp -d)
end() { # with what it has started on a Docker engine
	"$bin/sandbox" --dir "$scratch/account" reset
	rm -rf "$scratch"
}
trap end EXIT
project=$scratch/slipway account=$scratch/account

step=0
say() { step=$((step + 1)); printf '\n\033[1m%d. %s\033[0m\n' "$step" "$*" | plain; }
plain() { if [ -t 1 ]; then cat; else sed $'s/\033\\[[0-9;]*m//g'; fi; }
note() { printf '   %s\n' "$*"; }

# Shows a command, runs it, and shows the lines of its output that match; all of them where it fails.
run() {
	local lines=$1 output
	shift
	printf '\n   $ %s\n' "$*"
	if ! output=$("$bin/sandbox" --dir "$account" exec -- "$@" 2>&1); then
		printf '%s\n' "$output" >&2
		exit 1
	fi
	# What a terminal would show while it runs; the list of messages at the end repeats some of it.
	sed '/^Diagnostics:/,/^Resources:/d' <<<"$output" | grep -E -- "$lines" | sed 's/^/   | /' || true
}
up() {
	local stage=$1
	shift
	run '(created|updated|replaced|deleted)( replacement)? \([0-9]|has (started|stopped|reached)|^ +[-+~]+ ?[0-9]+ [a-z]+$|unchanged$' \
		pulumi up --stack "$stage" --yes --skip-preview --non-interactive --color never --suppress-outputs "$@"
}
# What the sandbox shows of the account.
show() { printf '\n   $ sandbox %s\n' "$*"; "$bin/sandbox" --dir "$account" "$@" | sed 's/^/   | /'; }
# What each service was given, from the account and not from the stage files.
variables() {
	printf '\n   $ sandbox ps --json\n'
	"$bin/sandbox" --dir "$account" ps --json | grep -E '^ {6}"(cluster|revision)":|^ {8}"(STAGE|GREETING)":' | sed 's/^ */   | /'
}
edit() { # file, from, to
	sed -i.bak "s/$2/$3/" "$1" && rm "$1.bak"
	git --no-pager diff -U0 --no-color "$1" | grep '^[-+] ' | sed 's/^/   | /'
}

# The work tree as git would commit it, and the app's binary.
mkdir -p "$project/app/build"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	[ -e "$file" ] && { mkdir -p "$project/$(dirname "$file")"; cp -p "$file" "$project/$file"; }
done
cp -p app/build/app "$project/app/build/app"
cd "$project"
git init -q -b main
git config user.name demo && git config user.email demo@example.com && git config commit.gpgsign false
git add -A && git commit -qm "A service, two stages"

say "Stage dev: from Dockerfile to running service"
note "The sandbox stands in for AWS; pulumi is the real one. dev builds its image from source."
run 'Created stack' pulumi stack init dev
up dev
show images
show ps

say "Change one variable: a new revision, no build"
edit Pulumi.dev.yaml 'hello from dev' 'good morning'
git commit -qam "Greet in the morning"
run '=>|^ *\+-' pulumi preview --stack dev --diff --non-interactive --color never
up dev
show images
show ps

say "Change the app: one more image, and a revision that runs it"
sed -i.bak 's/"unknown"/"not known"/' app/*.go && rm -f app/*.go.bak
note "(the source was edited; make app compiles it)"
make -s app
git commit -qam "Say it more kindly"
up dev
show images

say "Stage release: the same image, its own variables, nothing built"
run 'Created stack' pulumi stack init release
run '.' slipway promote dev release
git --no-pager diff --numstat | sed 's/^/   | /'
git commit -qam "Promote to release"
up release
show ps
variables

say "Every deployment has left a trace"
show images
run '.' slipway history dev
run '.' slipway status --exit-code

say "A mistake in release, and back"
edit Pulumi.release.yaml 'hello from release' 'hello from nowhere'
git commit -qam "A mistake"
up release
note "(git revert would do; rollback finds the update, and looks first whether its image is still there)"
run '.' slipway rollback release
up release
run '.' slipway history release --limit 3
variables
note ""
note "What ran before runs again, and nothing was built: ECR still holds what it held."
show images
say "Both stages answer: the same image, each with its own variables"
# The addresses of a cluster's tasks, of which there are none where no engine runs them.
addresses() { "$bin/sandbox" --dir "$account" ps --json | awk -F'"' -v cluster="$1" \
	'$2 == "cluster" { here = ($4 == cluster) } here && $2 == "address" && $4 { print $4 }'; }
if [ -z "$(addresses slipway-dev)" ]; then
	note "(no Docker engine runs here: the tasks are recorded, and none answers)"
elif ! command -v curl >/dev/null; then
	note "(curl is not here: ask them yourself)"
	addresses slipway-dev && addresses slipway-release
else
	for stage in dev release; do
		for address in $(addresses "slipway-$stage"); do
			printf '\n   $ curl %s     # %s\n' "$address" "$stage"
			curl -sS --max-time 10 "$address" | grep -E '"(stage|greeting|reference|id)"' | sed 's/^/   | /'
		done
	done
fi
printf '\nThat was it. Play with it yourself: .bin/sandbox exec -- pulumi stack init dev, then .bin/sandbox exec -- pulumi up --stack dev\n'
