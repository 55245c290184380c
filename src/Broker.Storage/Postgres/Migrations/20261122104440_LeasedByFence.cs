using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class LeasedByFence : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_step_leased",
                table: "step");

            migrationBuilder.CreateIndex(
                name: "ix_step_leased",
                table: "step",
                column: "fence",
                filter: "status = 2");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_step_leased",
                table: "step");

            migrationBuilder.CreateIndex(
                name: "ix_step_leased",
                table: "step",
                columns: new[] { "run_id", "idx" },
                filter: "status = 2");
        }
    }
}
