using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;

namespace Broker.Storage.Matching;

/// <summary>A claim that looks for steps and, where it finds none, waits in line. Its queues are resolved once for each take.</summary>
internal sealed class ClaimTicket(StepDispatcher steps, ClaimScopes scopes, WaitingClaims waiting, TimeProvider clock, ClaimRequest claim, CancellationToken gone) : IClaimTicket
{
    public async Task<IReadOnlyList<Assignment>> TakeAsync(TimeSpan timeout, CancellationToken stopping)
    {
        var queues = await scopes.QueuesOfAsync(claim, gone);
        if (timeout <= TimeSpan.Zero) return await steps.ClaimAsync(claim, queues, gone);
        var claimed = steps.WouldFindNothing(claim, queues) ? [] : await steps.ClaimAsync(claim, queues, gone);
        return claimed.Count > 0 ? claimed : await WaitAsync(queues, timeout, stopping);
    }

    private async Task<IReadOnlyList<Assignment>> WaitAsync(ClaimQueues queues, TimeSpan timeout, CancellationToken stopping)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(gone, stopping);
        var began = clock.GetTimestamp();
        using var place = waiting.Enter(claim, queues, stop.Token);
        try
        {
            do
            {
                // Entered before this look: a step that became ready after an earlier look has either been signalled or is found now.
                if (!place.BeginsLook()) continue;
                var claimed = await (place.TakeOffer() is { } offer ? StepDispatcher.MeasureAsync(offer) : steps.ClaimAsync(claim, place.Queues, gone));
                if (claimed.Count > 0)
                {
                    place.Served();
                    return claimed;
                }

                // The look of a client that has disconnected reads nothing.
                if (gone.IsCancellationRequested) return [];
                place.FoundNothing();
            }
            while (timeout - clock.GetElapsedTime(began) is var left && left > TimeSpan.Zero && await place.WaitAsync(left, stop.Token));
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            // The host stops: the client is answered that no step is ready.
        }

        return [];
    }
}
