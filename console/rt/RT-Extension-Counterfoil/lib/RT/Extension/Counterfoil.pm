package RT::Extension::Counterfoil;

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use JSON ();
use MIME::Base64 qw(encode_base64url);

our $VERSION = '1.0';

=head1 NAME

RT::Extension::Counterfoil - the payment context of a ticket, in a frame of Counterfoil

=head1 DESCRIPTION

Puts C<< <counterfoil-panel> >> beside a ticket, for privileged users, with a context that RT signs: who is signed in to RT, which
ticket it is, good once and for 60 seconds. Counterfoil shows nothing by it: people sign in to Counterfoil itself. It refuses whoever
is somebody else there.

=head1 INSTALLATION

Copy this folder to RT's F<local/plugins>, or F</usr/local/share/request-tracker5/plugins> with Debian's packages. In
F<RT_SiteConfig.pm>:

    Plugin('RT::Extension::Counterfoil');
    Set($CounterfoilGateway, 'https://counterfoil.example.com');
    Set($CounterfoilSource,  'desk');    # its name among the sources of Counterfoil
    Set($CounterfoilSecret,  '...');     # embeds[].signed.secret there: openssl rand -hex 32

The secret signs in the name of everybody: keep the file from other users of the machine. Remove F<var/mason_data/obj> and restart the
web server.

=cut

# Seconds for which a context is good.
our $GoodFor = 60;

# Bytes of a nonce.
our $NonceBytes = 18;

my @settings = qw(CounterfoilGateway CounterfoilSource CounterfoilSecret);

sub IsConfigured {
    my $missing = grep { !length( RT->Config->Get($_) // '' ) } @settings;
    return 0 if $missing;
    return length( RT->Config->Get('CounterfoilSecret') ) >= 16 ? 1 : 0;
}

sub Source { return RT->Config->Get('CounterfoilSource') }

sub Script { return _Gateway() . '/embed/panel.js' }

sub _Gateway {
    my $gateway = RT->Config->Get('CounterfoilGateway');
    $gateway =~ s{/+\z}{};
    return $gateway;
}

=head2 Context User => $user, Ticket => $ticket

A signed token (RFC 7519, HMAC with SHA-256) for one display of one ticket to one user, as C<< <counterfoil-panel context="..."> >> takes it.
Dies where there is no randomness to be had: a nonce that can be guessed is none.

=cut

sub Context {
    my $class = shift;
    my %args  = @_;
    my $now   = time;
    my $header = { alg => 'HS256', typ => 'counterfoil-context+jwt' };
    my $claims = {
        aud    => _Gateway() . '/embed/' . Source(),
        sub    => '' . $args{User}->Name,
        ticket => '' . $args{Ticket}->Id,
        iat    => $now + 0,
        exp    => $now + $GoodFor,
        jti    => encode_base64url( _Random($NonceBytes) ),
    };
    my $json   = JSON->new->utf8->canonical;
    my $signed = join '.', map { encode_base64url( $json->encode($_) ) } $header, $claims;
    return $signed . '.' . encode_base64url( hmac_sha256( $signed, RT->Config->Get('CounterfoilSecret') ) );
}

sub _Random {
    my $bytes = shift;
    my $random;
    open my $source, '<:raw', '/dev/urandom' or die "no randomness: $!\n";
    my $read = read( $source, $random, $bytes );
    close $source;
    die "no randomness\n" unless defined $read && $read == $bytes;
    return $random;
}

1;
