# rt-desk.pl TICKETS AGENTS
#
# Fills the Request Tracker of RT_SITE_CONFIG as a desk is that has been open for a while: TICKETS open tickets in Cards,
# each of a customer of its own (person-N@customers.example), owned in turn by AGENTS agents (desk-N). Prints one JSON object.
use lib '/usr/share/request-tracker5/lib';
use strict; use warnings; use RT -init; use JSON; use MIME::Entity;

my ($tickets, $agents) = @ARGV;
my $system = RT->SystemUser;
sub must { my ($ok, $message) = @_; die "$message\n" unless $ok; $ok }

# Nobody is told of these tickets: mails and webhooks of a thousand of them would take most of the time.
my $scrips = RT::Scrips->new($system);
$scrips->UnLimit;
my @announcing = grep { !$_->Disabled } @{ $scrips->ItemsArrayRef };
$_->SetDisabled(1) for @announcing;
$RT::Handle->BeginTransaction;
my $group = RT::Group->new($system);
$group->LoadUserDefinedGroup('Agents');
my @owners;
for my $number (1 .. $agents) {
  my $user = RT::User->new($system);
  must($user->Create(Name => "desk-$number", RealName => "Desk $number", EmailAddress => "desk-$number\@rt.example", Privileged => 1));
  must($group->AddMember($user->PrincipalId));
  push @owners, $user->id;
}
my (@numbers, @customers);
for my $number (1 .. $tickets) {
  my $user = RT::User->new($system);
  my $address = "person-$number\@customers.example";
  must($user->Create(Name => $address, RealName => "Person $number", EmailAddress => $address, Privileged => 0));
  # opened as mail opens one: by its requestor
  my $requestor = RT::CurrentUser->new;
  $requestor->Load($user->id);
  my $message = MIME::Entity->build(Type => 'text/plain', Charset => 'utf-8', Data => ["My card was declined, number $number.\n"]);
  my ($id) = RT::Ticket->new($requestor)->Create(Queue => 'Cards', Subject => "Declined $number", Requestor => [$user->id], MIMEObj => $message);
  must($id, "no ticket for $address");
  my $ticket = RT::Ticket->new($system);
  $ticket->Load($id);
  must($ticket->SetOwner($owners[($number - 1) % $agents]));
  push @numbers, "$id";
  push @customers, $user->id . '';
}
$RT::Handle->Commit;
$_->SetDisabled(0) for @announcing;
print encode_json({ tickets => \@numbers, customers => \@customers });
