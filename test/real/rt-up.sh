#!/usr/bin/env bash
# rt-up.sh DIR [PORT]
#
# Brings up a private Request Tracker 5 on 127.0.0.1:PORT (default 18080) for the tests: installs Debian's packages where
# they are missing, creates an SQLite database with the merchant's people and queues under DIR, starts the server and
# prints one JSON object with the connection details (also DIR/connection.json, mode 600). Needs root for the packages
# only. Run again on the same DIR it restarts the server on the data that is there. Stop it with
#   kill "$(cat DIR/rt.pid)"
#
# RT_WEBHOOK_URL  when set, every change of a ticket is announced there after its commit, signed with `webhookSecret`
# RT_GATEWAY      when set, our extension shows the panel of the gateway at this address, signed with `contextSecret`
# RT_WORKERS      server processes, default 4; a webhook occupies one of them while it is under way
set -euo pipefail

[ $# -ge 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 64; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
port=${2:-18080}
webhook=${RT_WEBHOOK_URL:-}
began=$SECONDS
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
umask 077

say() { printf '[rt +%ss] %s\n' "$((SECONDS - began))" "$*" >&2; }
give_up() { say "$1"; [ -z "${2:-}" ] || tail -n 25 "$2" >&2; exit 1; }

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]; }

install_packages() {
  local missing=() name
  # msmtp-mta satisfies the dependency on a mail server without starting one
  for name in request-tracker5 rt5-standalone rt5-db-sqlite msmtp-mta curl; do
    is_installed "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || give_up "missing packages (${missing[*]}); run as root"
  say "installing ${missing[*]}"
  # dbconfig and cron must not touch the machine: this server is ours alone
  debconf-set-selections <<'SELECTIONS'
request-tracker5 request-tracker5/dbconfig-install boolean false
request-tracker5 request-tracker5/install-cronjobs boolean false
request-tracker5 request-tracker5/handle-siteconfig-permissions boolean false
SELECTIONS
  local denies_services=/usr/sbin/policy-rc.d placed=no
  if [ ! -e "$denies_services" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$denies_services"
    chmod 755 "$denies_services"
    placed=yes
  fi
  local result=0
  (
    umask 022
    apt-get update -qq -o Acquire::Retries=3 &&
      apt-get install -y -qq --no-install-recommends -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "${missing[@]}"
  ) >"$dir/apt.log" 2>&1 || result=$?
  [ "$placed" = no ] || rm -f "$denies_services"
  [ "$result" = 0 ] || give_up 'the packages could not be installed' "$dir/apt.log"
}

stop_previous() {
  local pid
  [ -f "$dir/rt.pid" ] || return 0
  pid=$(cat "$dir/rt.pid")
  # the number may have been given to another program since
  if grep -qz rt-server "/proc/$pid/cmdline" 2>/dev/null; then
    say "stopping $pid"
    kill "$pid"
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  fi
  rm -f "$dir/rt.pid"
}

# secret NAME prints the secret kept under that name and makes it first where there is none
secret() {
  [ -s "$dir/secrets/$1" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$dir/secrets/$1"
  cat "$dir/secrets/$1"
}

# extension prints what RT_SiteConfig.pm says of our extension, which is copied to where RT finds it
extension() {
  [ -n "${RT_GATEWAY:-}" ] || return 0
  rm -rf "$dir/plugins"
  mkdir -p "$dir/plugins"
  cp -R "$(dirname "${BASH_SOURCE[0]}")/../../console/rt/RT-Extension-Counterfoil" "$dir/plugins/"
  printf "\$RT::LocalPluginPath = '%s'; Plugin('RT::Extension::Counterfoil');\n" "$dir/plugins"
  printf "Set(\$CounterfoilGateway, '%s'); Set(\$CounterfoilSource, 'rt'); Set(\$CounterfoilSecret, '%s');\n" "$RT_GATEWAY" "$(secret context)"
}

write_configuration() {
  cat >"$dir/sendmail" <<SH
#!/bin/sh
exec cat >"$dir/outbox/\$(date +%s%N).\$\$.eml"
SH
  chmod 700 "$dir/sendmail"
  # WebPath of a server at the root is empty, not '/'
  cat >"$dir/RT_SiteConfig.pm" <<PERL
Set(\$rtname, 'rt.example'); Set(\$Organization, 'rt.example'); Set(\$Timezone, 'UTC');
Set(\$WebDomain, '127.0.0.1'); Set(\$WebPort, $port); Set(\$WebPath, ''); Set(\$WebBaseURL, 'http://127.0.0.1:$port');
Set(\$DatabaseType, 'SQLite'); Set(\$DatabaseName, '$dir/rt.db'); Set(\$DatabaseHost, ''); Set(\$DatabaseUser, '');
Set(\$MailCommand, 'sendmailpipe'); Set(\$SendmailPath, '$dir/sendmail'); Set(\$NotifyActor, 0);
Set(\$CorrespondAddress, 'support\@rt.example'); Set(\$CommentAddress, 'comments\@rt.example');
Set(\$LogToSyslog, ''); Set(\$LogToSTDERR, 'warning'); Set(\$LogToFile, undef); Set(\$LogDir, '$dir');
# RT checks a token by bcrypt on each request: at the usual cost of 12 that is 0.2 s of a processor
Set(\$WebSecureCookies, 0); Set(\$BcryptCost, 4);
$(extension)
\$RT::MasonDataDir = '$dir/mason'; \$RT::MasonSessionDir = '$dir/sessions'; \$RT::VarPath = '$dir';
1;
PERL
  export RT_SITE_CONFIG="$dir/RT_SiteConfig.pm" RT_SITE_CONFIG_DIR="$dir/site.d"
}

# Queues, groups, rights and fields. Agents get what agents have in a usual RT and nothing of the user administration:
# `Payment Customer` (on users) is written by the group Billing only, `Customer Reference` (on tickets) by agents.
write_initial_data() {
  cat >"$dir/merchant.initialdata" <<'PERL'
@Queues = map { { Name => $_, Description => "$_ support", CorrespondAddress => lc($_) . '@rt.example' } } qw(Cards Wallets);
@Groups = map { { Name => $_, Description => $_ } } qw(Agents Supervisors Billing Gateway Readers);
@CustomFields = (
  { Name => 'Customer Reference', Type => 'FreeformSingle', Queue => ['Cards', 'Wallets'], Description => 'what agents note' },
  { Name => 'Payment Customer', Type => 'FreeformSingle', LookupType => 'RT::User', Description => 'set by billing' },
);
my @agents = qw(SeeQueue ShowTicket ShowTicketComments ShowOutgoingEmail CreateTicket ReplyToTicket CommentOnTicket ModifyTicket
  OwnTicket TakeTicket StealTicket ReassignTicket DeleteTicket Watch WatchAsAdminCc SeeCustomField ModifyCustomField);
sub on_queues { my ($group, @rights) = @_;
  map { my $queue = $_; map { { GroupDomain => 'UserDefined', GroupId => $group, Queue => $queue, Right => $_ } } @rights } qw(Cards Wallets) }
@ACL = (
  on_queues(Agents => @agents),
  on_queues(Supervisors => @agents),
  on_queues(Gateway => qw(SeeQueue ShowTicket SeeCustomField CommentOnTicket)),
  # where it opens tickets
  { GroupDomain => 'UserDefined', GroupId => 'Gateway', Queue => 'Cards', Right => 'ModifyTicket' },
  # a gateway's account that was not given the right to write notes
  on_queues(Readers => qw(SeeQueue ShowTicket)),
  (map { { GroupDomain => 'SystemInternal', GroupType => 'Everyone', Queue => $_, Right => 'CreateTicket' },
         { GroupDomain => 'SystemInternal', GroupType => 'Everyone', Queue => $_, Right => 'ReplyToTicket' } } qw(Cards Wallets)),
  { GroupDomain => 'UserDefined', GroupId => 'Gateway', Right => 'ShowUserHistory' },
  { GroupDomain => 'UserDefined', GroupId => 'Gateway', CF => 'Payment Customer', Right => 'SeeCustomField' },
  (map { { GroupDomain => 'UserDefined', GroupId => 'Billing', CF => 'Payment Customer', Right => $_ } } qw(SeeCustomField ModifyCustomField)),
);
PERL
  [ -z "$webhook" ] || cat >>"$dir/merchant.initialdata" <<PERL
my (\$webhook_url, \$webhook_secret) = ('$webhook', '$(secret webhook)');
PERL
  [ -z "$webhook" ] || cat >>"$dir/merchant.initialdata" <<'PERL'
# TransactionBatch runs once a request, in the stage before once a transaction. A change of the owner is committed after it
# even so: whoever is told reads the state of before, until it has answered and RT goes on
@Scrips = ({ Description => 'Announce changes', Queue => 0, Stage => 'TransactionBatch', Template => 'Blank',
  ScripCondition => 'User Defined', ScripAction => 'User Defined', CustomIsApplicableCode => '1;', CustomPrepareCode => '1;',
  CustomCommitCode => <<'SCRIP' =~ s/WEBHOOK_URL/$webhook_url/r =~ s/WEBHOOK_SECRET/$webhook_secret/r });
    require LWP::UserAgent; require JSON; require Digest::SHA;
    my @transactions = map { { id => $_->id + 0, type => $_->Type } } sort { $a->id <=> $b->id } @{ $self->TicketObj->TransactionBatch || [] };
    my $body = JSON->new->utf8->canonical->encode({ event => 'ticket.changed', ticket => $self->TicketObj->id + 0, transactions => \@transactions });
    my $at = time;
    my $answer = LWP::UserAgent->new(timeout => 3)->post('WEBHOOK_URL', 'Content-Type' => 'application/json', 'X-RT-Timestamp' => $at,
      'X-RT-Signature' => 'sha256=' . Digest::SHA::hmac_sha256_hex("$at.$body", 'WEBHOOK_SECRET'), Content => $body);
    RT->Logger->warning('webhook: HTTP ' . $answer->code) unless $answer->is_success;
    1;
SCRIP
PERL
}

create_database() {
  [ ! -e "$dir/seeded" ] || return 0
  say 'creating the database'
  rm -f "$dir/rt.db"
  secret root >/dev/null
  /usr/sbin/rt-setup-database-5 --action init --root-password-file "$dir/secrets/root" >"$dir/setup.log" 2>&1 </dev/null ||
    give_up 'the database could not be created' "$dir/setup.log"
  write_initial_data
  /usr/sbin/rt-setup-database-5 --action insert --datafile "$dir/merchant.initialdata" >"$dir/setup.log" 2>&1 </dev/null ||
    give_up 'the queues and rights could not be created' "$dir/setup.log"
  rm -f "$dir/merchant.initialdata"
  cat >"$dir/people.pl" <<'PERL'
use lib '/usr/share/request-tracker5/lib';
use strict; use warnings; use RT -init; use JSON;
my $system = RT->SystemUser;
sub must { my ($ok, $message) = @_; die "$message\n" unless $ok; $ok }
my $field = RT::CustomField->new($system);
$field->LoadByCols(Name => 'Payment Customer');
must($field->AddToObject(RT::User->new($system))) unless $field->IsGlobal;
my %groups = (ana => 'Agents', ben => 'Agents', cem => 'Agents', sam => 'Supervisors', sue => 'Supervisors', billing => 'Billing', counterfoil => 'Gateway', reader => 'Readers');
my %tokens;
for my $name ('root', sort keys %groups) {
  my $user = RT::User->new($system);
  if ($name eq 'root') { $user->Load($name) }
  else {
    must($user->Create(Name => $name, RealName => ucfirst $name, EmailAddress => "$name\@rt.example", Privileged => 1));
    my $group = RT::Group->new($system);
    $group->LoadUserDefinedGroup($groups{$name});
    must($group->AddMember($user->PrincipalId));
  }
  my $owner = RT::CurrentUser->new;
  $owner->Load($name);
  my ($id, $message, $token) = RT::AuthToken->new($system)->Create(Owner => $owner->Id, Description => 'tests');
  must($id, $message);
  $tokens{$name} = { id => $user->id . '', token => $token };
}
print encode_json(\%tokens);
PERL
  perl "$dir/people.pl" >"$dir/secrets/people.json" 2>"$dir/setup.log" || give_up 'the people could not be created' "$dir/setup.log"
  rm -f "$dir/people.pl"
  touch "$dir/seeded"
}

start_server() {
  say "starting on port $port"
  : >"$dir/rt.log"
  setsid /usr/share/request-tracker5/libexec/rt-server --server Starlet --host 127.0.0.1 --port "$port" \
    --max-workers "${RT_WORKERS:-4}" >>"$dir/rt.log" 2>&1 </dev/null &
  echo $! >"$dir/rt.pid"
  local pid=$! token attempt
  token=$(perl -MJSON -0777 -ne 'print decode_json($_)->{counterfoil}{token}' "$dir/secrets/people.json")
  for attempt in $(seq 120); do
    # the token goes through standard input: arguments are visible to everybody on the machine
    if printf 'header = "Authorization: token %s"\n' "$token" |
      curl -fsS -m 5 -K - "http://127.0.0.1:$port/REST/2.0/rt" >/dev/null 2>&1; then
      return 0
    fi
    kill -0 "$pid" 2>/dev/null || give_up 'the server ended' "$dir/rt.log"
    sleep 0.5
  done
  kill "$pid"
  give_up 'the server does not answer' "$dir/rt.log"
}

mkdir -p "$dir"/{secrets,site.d,mason,sessions,outbox}
install_packages
stop_previous
write_configuration
create_database
start_server
perl -MJSON -0777 -e '
  my ($port, $dir, $pid, $secret, $context) = @ARGV; open my $in, "<", "$dir/secrets/people.json" or die $!;
  print JSON->new->canonical->encode({ url => "http://127.0.0.1:$port", people => decode_json(<$in>), queues => ["Cards", "Wallets"],
    gateway => "counterfoil", customerField => "Payment Customer", webhookSecret => $secret, contextSecret => $context, outbox => "$dir/outbox", directory => $dir, pid => $pid + 0 }), "\n"' \
  "$port" "$dir" "$(cat "$dir/rt.pid")" "$(secret webhook)" "$(secret context)" | tee "$dir/connection.json"
say 'ready'
